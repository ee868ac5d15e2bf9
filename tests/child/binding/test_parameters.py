"""What an array on a layer is, by the names on the way to it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from grader.child.binding.language import places
from grader.child.binding.parameters import gradient_at, weight_at

W, b = np.ones((3, 2)), np.ones(2)


@pytest.mark.parametrize(
    ("layer", "weights", "gradients"),
    [
        ({"W": W, "b": b, "x": W, "dW": W, "db": b}, ["W", "b"], ["dW", "db"]),
        ({"weight": W, "bias": b, "grad_weight": W}, ["weight", "bias"], ["grad_weight"]),
        ({"params": {"W": W}, "grads": {"W": W}}, ["params_W"], ["grads_W"]),
        ({"params": [W, b], "grads": [W, b]}, ["params_0", "params_1"], ["grads_0", "grads_1"]),
        ({"W": SimpleNamespace(data=W, grad=W)}, ["W_data"], ["W_grad"]),
        (
            {"params": [SimpleNamespace(value=W, grad=W), SimpleNamespace(value=b, grad=b)]},
            ["params_0_value", "params_1_value"],
            ["params_0_grad", "params_1_grad"],
        ),
        ({"data": W, "grad": b, "out": W, "bank": b, "dx": W}, [], []),
        ({"weight_grad": W, "weights": [W]}, ["weights_0"], ["weight_grad"]),
    ],
)
def test_by_name_or_by_shape(layer: Any, weights: list[str], gradients: list[str]) -> None:
    held = list(places.walk(SimpleNamespace(**layer)))
    for which, wanted in ((weight_at, weights), (gradient_at, gradients)):
        found = {"_".join(str(k) for _, k in place): which(place, v) for place, v in held}
        assert sorted(name for name, said in found.items() if said) == sorted(wanted)
        assert all(said == ("W" if np.ndim(v) == 2 else "b")
                   for place, v in held if (said := which(place, v)))  # fmt: skip
