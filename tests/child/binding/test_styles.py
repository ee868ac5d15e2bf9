"""One correct network in the styles that real people write: each is graded to the same numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.cohort import Engine
from grader.intake import take_in
from grader.records import CheckStatus, Result

STYLES = sorted((Path(__file__).parent / "styles").glob("*.py"))

NO_INPUT_GRADIENT = {
    *("hidden_dims_class", "layers_in_network", "params_dict_positional", "sizes_list_network"),
    *("torch_func", "train_step", "updating_class", "fixed_sizes_class"),
}
"""Styles that never compute dX: nobody who trains asks for it."""

WITHOUT_DX = {
    *("backward.dX", "backward.dX_shape", "backward.own_loss"),
    *("backward.stable", "backward.edge_sizes"),
}
"""What a missing dX fails, or leaves open, in the contract's own style as well."""

NO_TORCH = {
    *("column_labels", "layer_functions", "layers_in_network", "own_softmax_object"),
    *("sequential_container", "train_step", "updating_class", "fixed_sizes_class"),
    "noms_francais",
}
VERIFIES = {
    *("almost_the_contract", "given_weights_class", "keyword_only_names", "verify_of_gradients"),
    *("zero_based", "config_dataclass"),
}


@pytest.fixture(scope="module")
def results(engine: Engine) -> dict[str, Result]:
    return {path.stem: engine.grade(take_in(path)) for path in STYLES}


def lost(result: Result, part: str) -> set[str]:
    passes = (CheckStatus.PASS, CheckStatus.MANUAL)
    return {c.id for c in result.grade.checks if c.id.startswith(part) and c.status not in passes}


def test_there_are_enough_styles() -> None:
    assert len(STYLES) >= 25


@pytest.mark.parametrize("style", [p.stem for p in STYLES])
def test_the_hand_written_part_loses_nothing(style: str, results: dict[str, Result]) -> None:
    result = results[style]
    wanted = WITHOUT_DX if style in NO_INPUT_GRADIENT else set()
    assert result.fault == ""
    assert lost(result, "forward.") == set()
    assert lost(result, "backward.") == wanted


@pytest.mark.parametrize("style", [p.stem for p in STYLES if p.stem not in NO_TORCH])
def test_the_pytorch_part_loses_nothing(style: str, results: dict[str, Result]) -> None:
    assert lost(results[style], "pytorch.") == set()


@pytest.mark.parametrize("style", sorted(VERIFIES))
def test_a_verification_in_another_form_is_heard(style: str, results: dict[str, Result]) -> None:
    assert lost(results[style], "verification.") <= {"verification.tight"}


@pytest.mark.parametrize("style", [p.stem for p in STYLES])
def test_no_defect_is_named_but_what_is_missing(style: str, results: dict[str, Result]) -> None:
    absences = {"verify-missing", "missing-function", "grad-missing", "torch-leaf-without-grad"}
    codes = {d.code for d in results[style].defects if d.severity.value != "info"}
    assert codes <= absences


def test_the_report_says_how_it_was_called(results: dict[str, Result]) -> None:
    report = results["cs231n_class"].observations.numpy
    assert report.binding.startswith("class TwoLayerNet (self.params['W1']")
    assert "one call gives the loss and the gradients" in report.deviations
    assert '"loss, grads = net.loss(X, y, 0.0)"' in report.contract
