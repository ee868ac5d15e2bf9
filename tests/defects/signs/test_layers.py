"""The mistakes of a layer by what it gave: which code, which arrays, which check."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from grader.checks import run_checks
from grader.checks.layers import LAYERS
from grader.defects.signs.layers import Slip, layer_slips
from grader.records import Confidence, Ended, Frame, Observation
from tests.checks.simulation import Edit, ends, exam, put, simulated, told

STACKS = exam().stacks


def slips(*edits: Edit) -> list[Slip]:
    view = simulated(*edits)
    return layer_slips(view, {f.check: f for f in run_checks(LAYERS, view)})


def named(*edits: Edit) -> list[tuple[str, str, tuple[str, ...], str]]:
    return [(s.code, s.kind, s.arrays, s.check) for s in slips(*edits)]


def test_right_layers_have_none() -> None:
    assert slips() == []


@pytest.mark.parametrize(
    ("steps", "array", "change", "kind", "code"),
    [
        ("layers/linear", "dW0", lambda a: -a, "linear", "grad-sign"),
        ("layers/linear", "db0", lambda a: a[None, :], "linear", "bias-grad-keepdims"),
        ("layers/linear", "db0", lambda a: None, "linear", "grad-missing"),
        ("layers/linear", "dW0", lambda a: a + 1, "linear", "grad-unexplained"),
        ("layers/loss", "loss", lambda a: -a, "loss", "loss-sign"),
        ("layers/loss", "loss", lambda a: a**2, "loss", "loss-unexplained"),
    ],
)
def test_one_wrong_array_of_a_layer_alone(steps, array, change, kind, code) -> None:
    found = named(put(steps, array, change))
    assert found == [(code, kind, (array,), f"layers.{kind}")]


def test_what_no_row_predicts_is_only_likely() -> None:
    (known,) = slips(put("layers/linear", "dW0", lambda a: -a))
    (unknown,) = slips(put("layers/linear", "dW0", lambda a: a + 1))
    assert (known.confidence, unknown.confidence) == (Confidence.PROVEN, Confidence.LIKELY)


def test_two_arrays_by_one_mistake_are_one_slip() -> None:
    by_B = [put("layers/linear", name, lambda a: a / len(STACKS["linear"].stack.inputs["x"]))
            for name in ("dW0", "db0")]  # fmt: skip
    (first, *more) = [s for s in slips(*by_B) if s.code == "grad-double-batch-mean"]
    assert (first.arrays, more) == (("dW0", "db0"), [])


def test_a_mask_that_is_missing() -> None:
    upstream = STACKS["relu"].stack.inputs["upstream"]
    found = named(put("layers/relu", "dx0", lambda a: upstream))
    assert found == [("relu-mask-missing", "relu", ("dx0",), "layers.relu")]


def test_another_activation_with_its_own_gradient_is_one_mistake() -> None:
    given = STACKS["relu"].stack.inputs
    tanh = np.tanh(given["x"])
    found = slips(
        put("layers/relu", "out", lambda a: tanh),
        put("layers/relu", "dx0", lambda a: given["upstream"] * (1 - tanh**2)),
    )
    assert [(s.code, s.arrays) for s in found] == [("relu-replaced", ("out",))]
    assert "tanh" in found[0].words


def test_an_error_is_a_slip_with_its_place() -> None:
    frame = Frame("a.py", 6, "backward")
    (slip,) = slips(
        ends("layers/relu", Ended.RAISED, "ValueError: shapes"),
        told("layers/relu", frames=(frame,)),
    )
    assert (slip.code, slip.kind, slip.arrays) == ("runtime-error", "relu", ())
    assert (slip.words, slip.frames) == ("ValueError: shapes.", (frame,))


def test_right_until_the_sizes_are_equal() -> None:
    (slip,) = slips(put("layers/linear_square", "dW0", lambda a: a.T))
    assert (slip.code, slip.arrays) == ("grad-unexplained", ("dW0",))
    assert slip.confidence is Confidence.LIKELY and "sizes are equal" in slip.words


@pytest.mark.parametrize(("rows", "code"), [(0, "softmax-no-max-shift"), (1, "softmax-global-max")])
def test_which_rows_are_lost_on_huge_logits(rows: int, code: str) -> None:
    def lost(dx):
        spoilt = dx.copy()
        spoilt[rows::2] = np.nan
        return spoilt

    found = named(
        put("layers/loss_huge", "dx0", lost),
        put("layers/loss_huge", "loss", lambda a: np.nan),
    )
    assert found == [(code, "loss", ("loss",), "layers.loss")]


def test_a_log_that_underflows() -> None:
    found = named(put("layers/loss_huge", "loss", lambda a: np.inf))
    assert [code for code, *_ in found] == ["loss-log-underflow"]


# ── calls that follow ────────────────────────────────────────────────────────


def added(runs: dict[str, Observation]) -> None:
    """A second backward gives twice as much, of the parameters."""
    run = runs["layers/linear"]
    twice = {f"again.{n}": 2 * run.arrays[n] for n in ("dW0", "db0")}
    runs["layers/linear"] = replace(run, arrays={**run.arrays, **twice})


def test_gradients_that_add_up() -> None:
    assert named(added) == [("grad-accumulates", "linear", ("dW0", "db0"), "layers.state")]


def test_a_cache_that_is_spoilt_by_backward() -> None:
    found = named(put("layers/relu", "again.dx0", lambda a: 0 * a))
    assert found == [("mutates-cache", "relu", ("dx0",), "layers.state")]


def test_an_argument_that_is_changed() -> None:
    found = slips(put("layers/relu", "x_after", lambda a: a + 1))
    assert [(s.code, s.kind) for s in found] == [("mutates-input", "relu")]
    assert found[0].words == "x: changed in place by the call."


def test_what_is_kept_from_the_first_batch() -> None:
    (slip,) = slips(put("layers/relu", "second.dx0", lambda a: 0 * a))
    assert (slip.code, slip.kind, slip.confidence) == ("hidden-state", "relu", Confidence.LIKELY)


def test_right_alone_and_wrong_in_a_network() -> None:
    (slip,) = slips(put("layers/depth", "dx0", lambda a: -a))
    assert (slip.code, slip.kind, slip.check) == ("hidden-state", "", "layers.composed")


def test_a_mean_that_stands_in_the_linear_layer() -> None:
    """One mistake in two layers: it is missing in the loss, and the linear layer divides."""
    B = {n: len(s.stack.inputs["x"]) for n, s in STACKS.items()}
    found = slips(
        *(put("layers/linear", n, lambda a: a / B["linear"]) for n in ("dW0", "db0")),
        put("layers/loss", "dx0", lambda a: a * B["loss"]),
    )
    missing = [s for s in found if s.code == "grad-missing-batch-mean"]
    assert "grad-double-batch-mean" not in [s.code for s in found]
    assert [s.words.startswith("1/B is missing here") for s in missing] == [True]
