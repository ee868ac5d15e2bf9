"""Correct solutions in many styles: full marks, and nothing above `info` to be said of any."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from grader.cohort import Engine
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.problem import oracle
from grader.problem.cases import make_cases
from grader.records import TENSORS, Case, CheckStatus, Result, Severity, SourceFile
from tests.diagnosis.variants import AXES, COUNT, activation_variants, variants

HERE = Path(__file__).parent
STYLES = {path.stem: path.read_text() for path in sorted(HERE.glob("styles/*.py"))}
UNUSUAL = {path.stem: path.read_text() for path in sorted(HERE.glob("unusual/*.py"))}
"""As candidates write, and as no axis has it: closures, columns, buffers, Jacobians, vmap."""

CORRECT = STYLES | UNUSUAL | {v.name: v.source for v in variants()}
GATED_BY_H1 = {v.name: v.source for v in activation_variants()}
EVERY = CORRECT | GATED_BY_H1
SEED = 20


@pytest.fixture(scope="module")
def results(engine: Engine) -> Callable[[str], Result]:
    """The graded result of each text; all are graded at once, by two threads."""
    pool = ThreadPoolExecutor(2)
    graded = {name: pool.submit(partial(grade, engine, name)) for name in EVERY}
    pool.shutdown(wait=False)
    return lambda name: graded[name].result()


def grade(engine: Engine, name: str) -> Result:
    file = SourceFile("solution.py", EVERY[name].encode())
    return engine.grade(assemble(name, name, Read((file,), ())))


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    made = make_cases(SEED)
    return [made[n] for n in ("primes", "square", "one_row", "underflow", "offsets", "zeros")]


def test_there_are_enough_of_them_and_every_option_occurs() -> None:
    made = variants()
    assert len(STYLES) >= 9 and len(made) == COUNT >= 60
    assert len({v.source for v in made}) == len(made)
    for axis, options in AXES.items():
        assert {v.choices[axis] for v in made} == set(options), axis


@pytest.mark.parametrize("name", EVERY)
def test_it_is_right_by_autograd(name: str, cases: list[Case]) -> None:
    module: dict[str, Callable[..., tuple[object, dict[str, object]]]] = {}
    exec(compile(EVERY[name], name, "exec"), module)
    for case in cases:
        inputs = case.inputs
        want = oracle.expected(**inputs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loss, cache = module["forward"](**inputs)
            halves = [(loss, module["backward"](cache))]
            if case.name != "zeros":  # clamp and maximum have other slopes at 0 than relu
                halves.append(module["torch_forward_backward"](**inputs))
        for loss, gradients in halves:
            assert np.allclose(loss, want["loss"], rtol=1e-9, atol=1e-9), case.name
            assert set(gradients) == set(TENSORS)
            for tensor in TENSORS:
                got, right = np.asarray(gradients[tensor]), want[f"d{tensor}"]
                assert got.shape == right.shape, (case.name, tensor)
                rounding = 1e-10 * max(1.0, float(np.abs(right).max()))  # of sums that cancel
                assert np.allclose(got, right, 1e-8, rounding), (case.name, tensor)


@pytest.mark.parametrize("name", EVERY)
def test_it_passes_every_check_with_full_score(name: str, results: Callable[[str], Result]) -> None:
    result = results(name)
    marked = [c for c in result.grade.checks if c.status is not CheckStatus.MANUAL]
    lost = [(c.id, c.message) for c in marked if c.status is not CheckStatus.PASS]
    assert result.fault == "" and lost == []
    assert result.grade.score + result.grade.unjudged == result.grade.max_score


@pytest.mark.parametrize("name", CORRECT)
def test_it_has_no_defect(name: str, results: Callable[[str], Result]) -> None:
    found = [(d.code, d.line) for d in results(name).defects if d.severity is not Severity.INFO]
    assert found == [], EVERY[name]


@pytest.mark.parametrize("name", GATED_BY_H1)
def test_a_gate_read_off_h1_is_the_only_thing_to_say(
    name: str, results: Callable[[str], Result]
) -> None:
    above = [d for d in results(name).defects if d.severity is not Severity.INFO]
    assert [d.code for d in above] == ["relu-mask-from-activation"]
    assert above[0].severity is Severity.MINOR
    lines = EVERY[name].splitlines()
    assert above[0].line is not None and "H1 " in lines[above[0].line - 1]
