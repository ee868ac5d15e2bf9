"""The search ends, whatever it is given."""

from __future__ import annotations

import numpy as np
import pytest

from grader.defects.explanation import BACKWARD, CLOSE
from grader.defects.table import DZ1_ROWS
from grader.diagnosis import search
from grader.diagnosis.predictions import Predictions
from grader.diagnosis.search import GradientSearch
from grader.problem import set_paper
from tests.diagnosis.planted import outputs


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    return Predictions(set_paper(11))


def searched(predictions: Predictions, *, forged: bool) -> GradientSearch:
    """After its run on one fault of the gate; `forged`: the upper tensors are noise besides."""
    _, gradients = outputs(predictions, (), (DZ1_ROWS[0],))
    rng = np.random.default_rng(0)
    for tensor in ("W2", "b2") if forged else ():
        found = gradients[tensor]
        gradients[tensor] = {
            c: None if g is None else rng.normal(size=g.shape) for c, g in found.items()
        }
    flows = {case: predictions.flow((), case) for case in BACKWARD}
    one = GradientSearch(
        {c: f for c, f in flows.items() if f is not None}, gradients, (), 0.0, CLOSE
    )
    one.best = one.run()
    return one


def test_a_search_is_given_up_after_so_many_tries(
    predictions: Predictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = searched(predictions, forged=True)
    assert 60 < free.tried <= search.MOST
    monkeypatch.setattr(search, "MOST", 60)
    cut = searched(predictions, forged=True)
    assert cut.tried == 61
    assert set(cut.best.left) >= {"W2", "b2"}, "what was not explained is not taken for right"


def test_what_is_found_before_that_stays(
    predictions: Predictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = searched(predictions, forged=False)
    assert [f.fault for f in whole.best.found] == [DZ1_ROWS[0]]
    monkeypatch.setattr(search, "MOST", whole.tried)
    assert searched(predictions, forged=False).best == whole.best
