"""Each mistake in a bias gradient is told for both biases, and gives another array."""

from __future__ import annotations

import numpy as np
import pytest

from grader.defects.bias import BIAS
from grader.problem.network import RIGHT, Fault
from tests.defects.planted_flow import right_flow

FAULTS = [fault for kind in BIAS for fault in kind.faults]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f.code}-{f.step}-{f.variant}")
def test_it_is_no_sum_over_the_batch(fault: Fault) -> None:
    flow = right_flow()
    wrong, right = np.asarray(fault.formula(flow)), RIGHT[fault.step](flow)
    assert wrong.shape != right.shape or not np.allclose(wrong, right)


@pytest.mark.parametrize("kind", BIAS, ids=lambda kind: kind.code)
def test_both_biases_have_it(kind) -> None:
    variants = {step: [f.variant for f in kind.faults if f.step == step] for step in ("b1", "b2")}
    assert variants["b1"] == variants["b2"] != []
