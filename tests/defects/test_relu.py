"""Wrong gates of the ReLU."""

from __future__ import annotations

import numpy as np
import pytest

from grader.defects.relu import RELU
from grader.problem.network import RIGHT, Fault
from tests.defects.planted_flow import right_flow

GATES = [f for kind in RELU for f in kind.faults if f.step == "dZ1"]


@pytest.mark.parametrize("fault", GATES, ids=lambda f: f"{f.code}-{f.variant}")
def test_a_gate_lets_other_numbers_pass(fault: Fault) -> None:
    if "capped at 6" in fault.variant:
        return  # ordinary input stays below 6
    flow = right_flow()
    assert not np.allclose(fault.formula(flow), RIGHT["dZ1"](flow))


def test_without_a_mask_dH1_goes_on() -> None:
    flow = right_flow()
    for fault in next(kind for kind in RELU if kind.code == "relu-mask-missing").faults:
        right = RIGHT[fault.step]({**flow, "dZ1": flow["dH1"]})
        if fault.step != "dZ1":
            np.testing.assert_allclose(fault.formula(flow), right)
