"""Whole submissions through real sandboxes: all steps seen, and every misfortune contained."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.errors import SandboxError
from grader.intake import take_in
from grader.observe.observe import MAX_DEATHS, MAX_LIVES, SECONDS_AT_ONCE, Allowance, time_reference
from grader.observe.oracle import expectations
from grader.observe.plan import REWEIGHTED, SCALED, SCALES, numpy_steps, torch_steps
from grader.problem import Expected, Paper, set_paper
from grader.problem.compare import proportion
from grader.records import TENSORS, Ended, Observations, SourceFile, Submission
from grader.sandbox.pool import Zygote
from tests.observe.both_parts import observe
from tests.sandbox.confined import linux_only

pytestmark = linux_only

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "reference" / "solution.py").read_text()
PAPER = set_paper(11)
Both = tuple[Zygote, Zygote]


@pytest.fixture(scope="module")
def both(numpy_zygote: Zygote, torch_zygote: Zygote) -> Both:
    for zygote in (numpy_zygote, torch_zygote):
        zygote.facts()
    return numpy_zygote, torch_zygote


@pytest.fixture(scope="module")
def expected(both: Both) -> dict[str, Expected]:
    return expectations(PAPER, both[1])


@pytest.fixture(scope="module")
def reference(both: Both) -> Observations:
    return seen(both, REFERENCE)


def submission(text: str, **others: str) -> Submission:
    texts = {"solution.py": text, **{f"{n}.py": t for n, t in others.items()}}
    files = tuple(SourceFile(n, t.encode()) for n, t in texts.items())
    return Submission("id", "name", "sha256:0", files, "solution.py")


def seen(both: Both, text: str, seconds: float = 20.0, paper: Paper = PAPER) -> Observations:
    return observe(submission(text), paper, *both, Allowance(seconds))


def altered(old: str, new: str) -> str:
    """The reference with one line changed."""
    assert REFERENCE.count(old) == 1
    return REFERENCE.replace(old, new)


BODY = "    Z1 = X @ W1 + b1  # [B, D] @ [D, H] + [H] -> [B, H]\n"


# ── the reference ────────────────────────────────────────────────────────────


def test_every_step_of_the_reference_is_seen_and_right(
    reference: Observations, expected: dict[str, Expected]
) -> None:
    steps = [*numpy_steps(PAPER), *torch_steps(PAPER)]
    for step in steps:
        observation = reference[step.name]
        altered = step.name in (SCALED, REWEIGHTED)
        assert observation.ended is Ended.OK, step.name
        if step.case.name not in expected or step.kind == "verify" or altered:
            continue
        want = expected[step.case.name]
        if step.kind != "backward":
            assert want.error("loss", observation.arrays["loss"]) <= want.limit()
        for tensor in TENSORS if step.kind != "forward" else ():
            assert want.error(f"d{tensor}", observation.arrays[tensor]) <= want.limit()


def test_the_gradients_change_with_what_autograds_engine_gives(reference: Observations) -> None:
    scaled, through_loss = (reference[name].arrays for name in (SCALED, REWEIGHTED))
    for tensor in TENSORS:
        right = reference["torch/primes"].arrays[tensor]
        ratio = proportion(scaled[tensor], right)
        assert ratio is not None
        assert SCALES[0] <= ratio <= SCALES[1]
        assert proportion(through_loss[tensor], right) is None


def test_the_reports_say_what_was_defined_and_what_confined_it(reference: Observations) -> None:
    for report in (reference.numpy, reference.torch):
        assert report.loaded.ok
        assert {function.name for function in report.functions} >= {"forward", "verify"}
        assert report.isolation["seccomp"].startswith("held")
    assert "torch" in reference.numpy.stand_ins
    assert reference.torch.stand_ins == ()


def test_the_numpy_side_prints_nothing_that_the_candidate_did_not(
    reference: Observations,
) -> None:
    assert (reference.numpy.output, reference.numpy.output_bytes) == ("", 0)


def test_the_torch_side_prints_nothing_that_the_candidate_did_not(
    reference: Observations,
) -> None:
    assert (reference.torch.output, reference.torch.output_bytes) == ("", 0)


def test_arrays_are_read_only_and_times_are_the_judges(reference: Observations) -> None:
    for observation in reference.runs.values():
        assert all(not a.flags.writeable for a in observation.arrays.values())
        assert 0 < observation.seconds < 20


def test_inputs_and_cache_come_back_where_they_were_asked_for(reference: Observations) -> None:
    arrays = reference["forward/primes"].arrays
    for name, value in PAPER.cases["primes"].inputs.items():
        np.testing.assert_array_equal(arrays[f"after_{name}"], value)
    assert "cache0" in arrays
    assert "cache0" not in reference["forward/square"].arrays


def test_the_oracle_through_the_sandbox_is_the_oracle(expected: dict[str, Expected]) -> None:
    from grader.problem import oracle

    assert set(expected) == set(PAPER.cases)
    for name, case in PAPER.cases.items():
        directly = Expected(case, oracle.expected(**case.inputs))
        for value, array in expected[name].values.items():
            assert directly.error(value, array) <= directly.limit()
            assert not array.flags.writeable


def test_the_reference_can_be_timed(both: Both) -> None:
    forward, backward = time_reference(take_in(ROOT / "reference"), PAPER, both[0])
    assert 0 < forward < 1
    assert 0 < backward < 1


def test_a_reference_that_fails_is_the_harnesss_fault(both: Both) -> None:
    broken = submission(altered(BODY, "    raise ValueError('broken')\n"))
    with pytest.raises(SandboxError, match="broken"):
        time_reference(broken, PAPER, both[0])


# ── what a submission does ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "ended"),
    [
        ("    raise ValueError('no')\n", Ended.RAISED),
        ("    import os; os._exit(0)\n", Ended.CRASH),
        ("    import os; os._exit(78)\n", Ended.CRASH),
        ("    import ctypes; ctypes.string_at(0)\n", Ended.CRASH),
        ("    hoard = np.ones(1 << 30)\n", Ended.MEMORY_LIMIT),
        ("    while True: print('x' * 65536)\n", Ended.OUTPUT_LIMIT),
        ("    torch.zeros(3)\n", Ended.FRAMEWORK),
        ("    return 1.0\n", Ended.BAD_RETURN),
    ],
)
def test_a_forward_that_goes_wrong_leaves_the_torch_part_whole(
    both: Both, line: str, ended: Ended
) -> None:
    before = set(os.listdir("/proc/self/fd"))
    got = seen(both, altered(BODY, line))
    assert got["forward/primes"].ended is ended
    assert got["backward/primes"].ended is Ended.NOT_RUN
    assert got["torch/primes"].ok
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_step_that_ends_its_process_costs_itself_and_not_the_next(both: Both) -> None:
    line = "    if X.shape[0] == 1:\n        import os; os._exit(3)\n"
    got = seen(both, altered(BODY, line + BODY))
    assert got["forward/one_row"].ended is Ended.CRASH
    assert got["backward/one_row"].ended is Ended.NOT_RUN
    others = [s.name for s in numpy_steps(PAPER) if "one_row" not in s.name]
    lost = [name for name in others if not got[name].ok]
    assert [n for n in lost if got[n].error != "its forward gave no cache"] == []
    assert all(got[f"{k}/realistic/0"].ok for k in ("forward", "backward"))


def test_a_step_that_hangs_is_found_though_others_were_asked_with_it(both: Both) -> None:
    line = "    while X.shape[0] == 1: pass\n"
    started = time.monotonic()
    got = seen(both, altered(BODY, line + BODY), seconds=4.0)
    assert time.monotonic() - started < 4.0 + SECONDS_AT_ONCE + 20.0
    hanging = {name for name, run in got.runs.items() if run.ended is Ended.TIMEOUT}
    assert hanging == {"forward/one_row"}
    assert got["forward/primes"].ok and got["verify/primes"].ok


def test_what_others_asked_with_it_made_wait_is_not_lost(both: Both) -> None:
    """A second `backward` needs the cache that only the child had which came too late."""
    slow = f"    if X.shape[0] == 1: time.sleep({SECONDS_AT_ONCE + 0.2})\n"
    source = altered(BODY, slow + BODY).replace("import numpy", "import time\nimport numpy", 1)
    got = seen(both, source)
    assert all(run.ok for run in got.runs.values())
    assert got["backward/primes/again"].ok


def test_quick_steps_are_asked_for_together_and_timed_ones_alone(
    reference: Observations, both: Both
) -> None:
    def together(found: Observations) -> int:
        """Steps whose share of the time is that of another."""
        spent = [run.cpu_seconds for run in found.runs.values()]
        return sum(spent.count(one) > 1 for one in spent)

    timed = [run.cpu_seconds for n, run in reference.runs.items() if "/realistic/" in n]
    assert len(set(timed)) == len(timed) == 6
    assert together(reference) > 80
    line = (
        "    started = time.process_time()\n    while time.process_time() < started + 0.025: pass\n"
    )
    slow = altered(BODY, line + BODY)
    found = seen(both, slow.replace("import numpy", "import time\nimport numpy", 1))
    forwards = [run.cpu_seconds for n, run in found.runs.items() if n.startswith("forward/")]
    assert len(forwards) > 15 and len(set(forwards)) == len(forwards)


def test_a_hang_costs_no_more_than_the_time_allowed(both: Both) -> None:
    started = time.monotonic()
    got = seen(both, altered(BODY, "    while True: pass\n"), seconds=2.0)
    assert got["forward/primes"].ended is Ended.TIMEOUT
    assert got["forward/square"].ended is Ended.NOT_RUN
    assert time.monotonic() - started < 30, "each of the others would take as long"


def test_a_hang_while_loading_is_a_timeout_of_loading(both: Both) -> None:
    got = seen(both, "while True: pass", seconds=1.0)
    assert got.numpy.loaded.ended is Ended.TIMEOUT
    assert got.runs == {}


def test_a_function_that_always_ends_its_process_is_not_asked_for_ever(both: Both) -> None:
    got = seen(both, altered(BODY, "    import os; os._exit(1)\n"))
    crashes = [n for n, o in got.runs.items() if o.ended is Ended.CRASH]
    assert 1 <= len(crashes) <= MAX_LIVES


def test_a_function_that_fills_the_memory_is_not_asked_for_ever(both: Both) -> None:
    """Filling it takes longer than all other calls together; the layers have time left."""
    got = seen(both, altered(BODY, "    bytearray(1 << 40)\n"))
    full = [n for n, o in got.runs.items() if o.ended is Ended.MEMORY_LIMIT]
    assert [name.split("/")[0] for name in full].count("forward") == MAX_DEATHS
    later = next(o for o in got.runs.values() if "filled its memory" in o.error)
    assert later.ended is Ended.NOT_RUN
    assert got["torch/primes"].ok
    assert any(o.ok for n, o in got.runs.items() if n.startswith("layers/"))


def test_a_syntax_error_is_told_on_both_sides_and_nothing_runs(both: Both) -> None:
    got = seen(both, "def forward(:\n")
    for report in (got.numpy, got.torch):
        assert report.loaded.ended is Ended.RAISED
        assert report.loaded.error.startswith("SyntaxError")
        assert report.loaded.frames[-1].line == 1
    assert got.runs == {}
    assert got["forward/primes"].ended is Ended.NOT_RUN


def test_functions_that_are_not_there_are_missing(both: Both) -> None:
    got = seen(both, "import numpy as np\n")
    assert got["forward/primes"].ended is Ended.MISSING
    assert got["torch/primes"].ended is Ended.MISSING
    assert got["verify/primes"].ended is Ended.MISSING


def test_an_exception_has_its_line_and_its_frames(both: Both) -> None:
    line = BODY + "    raise ValueError('first line\\nsecond line')\n"
    observation = seen(both, altered(BODY, line))["forward/primes"]
    assert observation.error == "ValueError: first line"
    frame = observation.frames[-1]
    assert (frame.file, frame.function) == ("solution.py", "forward")
    assert "raise ValueError" in (REFERENCE.replace(BODY, line)).splitlines()[frame.line - 1]


def test_what_is_printed_is_kept_by_side(both: Both) -> None:
    text = altered(BODY, "    print('by hand')\n" + BODY)
    got = seen(both, text)
    assert got.numpy.output.startswith("by hand\n")
    assert got.numpy.output_bytes >= 8 * 20


def test_as_many_files_as_the_intake_lets_through_can_be_loaded(both: Both) -> None:
    many = submission(REFERENCE, **{f"part_{n}": f"x = {n}" for n in range(399)})
    got = observe(many, PAPER, *both, Allowance(20.0))
    assert got.numpy.loaded.ok
    assert got["forward/primes"].ok


def test_names_of_the_candidates_own_are_mapped(both: Both) -> None:
    text = altered("\ndef forward(", "\ndef fwd(")
    mapped = replace(submission(text), names={"forward": "fwd"})
    assert observe(mapped, PAPER, *both, Allowance(20.0))["forward/primes"].ok


def test_answers_are_of_the_inputs_and_not_of_the_seed_before(both: Both) -> None:
    other = seen(both, REFERENCE, paper=set_paper(12))
    first = seen(both, REFERENCE)
    a, b = (o["forward/primes"].arrays["loss"] for o in (first, other))
    assert float(a) != float(b)


def test_nothing_of_one_submission_reaches_the_next(both: Both) -> None:
    leaves = altered(BODY, "    np.left_behind = torch.left_behind = 1\n" + BODY)
    seen(both, leaves)
    looks = altered(BODY, "    assert not hasattr(np, 'left_behind')\n" + BODY)
    assert seen(both, looks)["forward/primes"].ok
