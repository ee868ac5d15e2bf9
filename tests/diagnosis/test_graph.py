"""The network's graph: numbers decide, the trace fills in, and what follows names its cause."""

from __future__ import annotations

import pytest

from grader.cohort import Engine
from grader.cohort import engine as engine_module
from grader.diagnosis import Diagnosis, diagnose, network
from grader.diagnosis.tensors import NUMPY, SHAPES, TORCH
from grader.observe.reading import NamedTrace
from grader.observe.trace import Trace
from grader.records import Standing
from tests.diagnosis.pictured import drawn, graded, nodes, variant

FORWARD = "✓Z1 ✓H1 ✓Z2 ✓P ✓loss"
ALL_RIGHT = f"{FORWARD} ✓dZ2 ✓dW2 ✓db2 ✓dH1 ✓dZ1 ✓dW1 ✓db1 ✓dX"

DRAWN = {
    "reference": ALL_RIGHT,
    "lucia-fernandez": f"{FORWARD} ✓dZ2 ✓dW2 ✓db2 ✓dH1 ✗dZ1 ↳dW1 ↳db1 ↳dX",
    "ines-marques": f"{FORWARD} ✗dZ2 ↳dW2 ↳db2 ↳dH1 ↳dZ1 ↳dW1 ↳db1 ↳dX",
    "tomasz-nowak": f"{FORWARD} ✓dZ2 ✗dW2 ✓db2 ✓dH1 ✓dZ1 ✓dW1 ✓db1 ✓dX",
    "uma-krishnan": "✗Z1 ↳H1 ↳Z2 ↳P ↳loss ↳dZ2 ↳dW2 ↳db2 ↳dH1 ↳dZ1 ↳dW1 ↳db1 ↳dX",
    "rosa-delgado": "✓Z1 ✓H1 ✓Z2 ✓P ✗loss ✓dZ2 ✓dW2 ✓db2 ✓dH1 ✓dZ1 ✓dW1 ✓db1 ✓dX",
    "quentin-moreau": "✓Z1 ✓H1 ✓Z2 ✓P ✗loss ↳dZ2 ↳dW2 ↳db2 ↳dH1 ↳dZ1 ↳dW1 ↳db1 ↳dX",
    "mateusz-kowalski": "✓Z1 ✓H1 ✓Z2 ✓P ✗loss ✓dZ2 ✓dW2 ✓db2 ✓dH1 ✗dZ1 ↳dW1 ↳db1 ↳dX",
    "abel-tesfaye": f"{FORWARD} ·dZ2 ·dW2 ·db2 ·dH1 ·dZ1 ·dW1 ·db1 ·dX",
    "xavier-dubois": f"{FORWARD} ✓dZ2 ✓dW2 ✓db2 ✓dH1 ✓dZ1 ✓dW1 ✓db1 ✗dX",
    "noor-haddad": "✓Z1 ✓H1 ✓Z2 ✗P ✗loss ↳dZ2 ✓dW2 ✓db2 ✓dH1 ✓dZ1 ✓dW1 ✓db1 ✓dX",
    "adrian-popescu": "",
}


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_right_wrong_and_only_follows(engine: Engine, name: str) -> None:
    assert drawn(graded(engine, name)) == DRAWN[name]


def test_tables_agree() -> None:
    assert set(NUMPY) == set(SHAPES)
    assert set(TORCH) < set(NUMPY)
    for parents in (NUMPY, TORCH):
        before: set[str] = set()
        for name, own in parents.items():
            assert set(own) <= before, name
            before.add(name)


# ── because of what ──────────────────────────────────────────────────────────


def test_what_follows_names_the_defect_and_the_wrong_one_its_line(engine: Engine) -> None:
    found = nodes(graded(engine, "lucia-fernandez"))
    assert (found["dZ1"].because, found["dZ1"].line) == (("relu-mask-missing",), 41)
    for name in ("dW1", "db1", "dX"):
        assert found[name].because == ("relu-mask-missing",)
        assert found[name].measured
    assert not found["dZ1"].measured
    assert found["dW2"].because == ()


def test_two_bugs_are_kept_apart(engine: Engine) -> None:
    found = nodes(graded(engine, "mateusz-kowalski"))
    assert found["loss"].because == ("loss-not-scalar",)
    assert found["loss"].shape == "[1]"
    assert found["dW1"].because == ("relu-mask-from-gradient",)


def test_a_wrong_shape_is_shown_as_it_came(engine: Engine) -> None:
    found = nodes(graded(engine, "samira-el-amin"))
    assert (found["db1"].status, found["db1"].shape) == (Standing.WRONG, "[1, H]")
    assert (found["dW1"].status, found["dW1"].shape) == (Standing.RIGHT, "[D, H]")


def test_a_gradient_that_did_not_come_says_so(engine: Engine) -> None:
    missing = nodes(graded(engine, "xavier-dubois"))["dX"]
    assert (missing.because, missing.note) == (("grad-missing",), "not returned")


def test_what_goes_wrong_on_huge_logits_only_says_when(engine: Engine) -> None:
    found = nodes(graded(engine, "noor-haddad"))
    assert (found["P"].because, found["P"].note) == (("softmax-no-max-shift",), "on huge logits")
    assert found["dZ2"].because == ("softmax-no-max-shift",)
    assert (found["loss"].because, found["loss"].note) == (
        *(("loss-log-underflow",), "where p underflows"),
    )


def test_a_late_division_by_the_batch_is_right(engine: Engine) -> None:
    found = nodes(graded(engine, "fatima-zahra-idrissi"))
    assert {n.status for n in found.values()} == {Standing.RIGHT, Standing.GIVEN}
    assert found["dH1"].note == "as B·dH1"


def test_what_no_fault_predicts_begins_where_the_trace_departs(engine: Engine) -> None:
    found = nodes(engine.grade(variant(("dH1 * (Z1 > 0)", "np.sin(dH1 * 9) * (Z1 > 0.1)"))))
    assert found["dH1"].status is Standing.RIGHT
    assert (found["dZ1"].status, found["dZ1"].because) == (Standing.WRONG, ("grad-unexplained",))
    for name in ("dW1", "db1", "dX"):
        assert found[name].status is Standing.FOLLOWS


# ── the PyTorch part ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reference", "·Z1 ·H1 ·Z2 ✓loss ✓dW2 ✓db2 ✓dW1 ✓db1 ✓dX"),
        ("quentin-moreau", "✓Z1 ✓H1 ✓Z2 ✗loss ↳dW2 ↳db2 ↳dW1 ↳db1 ↳dX"),
        ("uma-krishnan", "·Z1 ·H1 ·Z2 ✓loss ✓dW2 ✓db2 ✓dW1 ✓db1 ✗dX"),
        ("abel-tesfaye", ""),
    ],
)
def test_the_part_in_pytorch(engine: Engine, name: str, expected: str) -> None:
    assert drawn(graded(engine, name), "torch") == expected


# ── numbers decide ───────────────────────────────────────────────────────────


def test_a_lying_trace_makes_no_wrong_number_right(engine: Engine) -> None:
    right = variant()
    wrong = variant(("dH1 * (Z1 > 0)", "dH1"))
    seen, findings = engine._examine(wrong)
    lie = engine._examine(right)[0].named
    diagnosis = diagnose(wrong, seen, findings, engine.predictions, Trace)
    for known, dZ1, dW1 in (
        (diagnosis, Standing.WRONG, Standing.FOLLOWS),
        (Diagnosis(()), Standing.RIGHT, Standing.WRONG),
    ):
        found = network(seen, findings, known, {"numpy": lie})
        told = {n.name: n for n in found if n.part == "numpy"}
        assert (told["dZ1"].status, told["dZ1"].measured) == (dZ1, False)
        assert (told["dW1"].status, told["dW1"].measured) == (dW1, True)


def test_a_fault_that_no_number_shows_makes_nothing_wrong(engine: Engine) -> None:
    wrong = variant(("dH1 * (Z1 > 0)", "dH1"))
    diagnosis = diagnose(wrong, *engine._examine(wrong), engine.predictions, Trace)
    seen, findings = engine._examine(variant())
    told = network(seen, findings, diagnosis, {"numpy": seen.named})
    assert {n.status for n in told} <= {Standing.RIGHT, Standing.GIVEN, Standing.UNSEEN}


def test_without_a_trace_the_numbers_still_speak(engine: Engine) -> None:
    seen, findings = engine._examine(variant())
    bare = NamedTrace(Trace(), (), {}, {})
    diagnosis = diagnose(variant(), seen, findings, engine.predictions, Trace)
    told = {n.name: n.status for n in network(seen, findings, diagnosis, {"numpy": bare})}
    assert told["loss"] is told["dX"] is Standing.RIGHT
    assert told["Z1"] is told["dZ1"] is Standing.UNSEEN


def test_a_picture_that_fails_costs_no_grade(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no picture")

    monkeypatch.setattr(engine_module, "network", broken)
    with pytest.warns(UserWarning, match="the picture failed"):
        result = engine.grade(variant())
    assert (result.graph, result.annotations) == ((), ())
    whole = graded(engine, "reference")
    assert result.grade.score == whole.grade.score > 0
    assert [c.status for c in result.grade.checks] == [c.status for c in whole.grade.checks]
