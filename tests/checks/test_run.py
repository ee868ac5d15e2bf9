"""Checks in their order: what needs another waits for it, and what breaks is an error."""

from __future__ import annotations

from dataclasses import replace

from grader.checks import ALL_CHECKS
from grader.checks.check import Check, check, passed
from grader.checks.run import run_checks
from grader.records import CheckStatus, Ended
from tests.checks.simulation import ends, simulated, told


def statuses(checks: list[Check], *edits) -> dict[str, CheckStatus]:
    """Return the status of each check."""
    return {f.check: f.status for f in run_checks(checks, simulated(*edits))}


def test_every_check_passes_on_a_right_answer() -> None:
    assert set(statuses(list(ALL_CHECKS)).values()) == {CheckStatus.PASS}


def test_what_needs_a_failed_check_waits() -> None:
    found = statuses(list(ALL_CHECKS), ends("backward/", Ended.RAISED))
    assert found["backward.runs"] is CheckStatus.FAIL
    assert found["backward.dW1"] is CheckStatus.SKIPPED
    assert found["forward.loss"] is CheckStatus.PASS


def test_a_check_that_breaks_is_an_error_and_so_is_what_needs_it() -> None:
    @check("a.broken", "Breaks", hint="None.", serves="Nothing.")
    def broken(view):
        raise ZeroDivisionError("ours")

    @check("a.next", "Needs it", hint="None.", serves="Nothing.", needs=("a.broken",))
    def following(view):
        return passed("Fine.")

    found = run_checks([broken, following], simulated())
    assert [f.status for f in found] == [CheckStatus.ERROR] * 2
    assert "ZeroDivisionError: ours" in found[0].message


def test_without_a_loss_what_looks_at_it_waits() -> None:
    found = statuses(list(ALL_CHECKS), told("forward/primes", lossless=True))
    looks = {c.id for c in ALL_CHECKS if c.of_loss}
    assert {c for c, status in found.items() if status is CheckStatus.SKIPPED} == looks
    assert {"forward.loss", "backward.own_loss"} <= looks


def test_the_same_view_can_be_run_twice() -> None:
    view = simulated()
    assert run_checks(ALL_CHECKS, view) == run_checks(ALL_CHECKS, replace(view))


def test_what_a_flood_of_output_hid_is_left_to_a_person_and_never_wrong() -> None:
    """The check of the first call is lost, where it is that one; the other part is judged."""
    found = statuses(list(ALL_CHECKS), ends("forward/", Ended.OUTPUT_LIMIT))
    fails = [check for check, status in found.items() if status is CheckStatus.FAIL]
    assert fails == ["forward.runs"]
    assert found["forward.loss"] is found["backward.dW1"] is CheckStatus.MANUAL
    assert found["pytorch.loss"] is CheckStatus.PASS


def test_a_flood_in_one_call_hides_what_only_that_one_shows() -> None:
    found = statuses(list(ALL_CHECKS), ends("forward/overflow", Ended.OUTPUT_LIMIT))
    assert found["forward.overflow"] is CheckStatus.MANUAL
    assert found["forward.loss"] is CheckStatus.PASS
    assert CheckStatus.FAIL not in found.values()
