"""Which checks compare which tensor, and what they look at beside numbers."""

from __future__ import annotations

from collections.abc import Mapping

from grader.problem.network import LEAVES

COMPARED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "numpy": {
        "loss": ("forward.loss", "forward.scalar"),
        **{f"d{t}": (f"backward.d{t}", f"backward.d{t}_shape") for t in LEAVES},
    },
    "torch": {"loss": ("pytorch.loss",), **{f"d{t}": (f"pytorch.d{t}",) for t in LEAVES}},
}
"""The checks that compare a tensor's numbers on ordinary inputs, by part and tensor."""

SPECIAL = (
    ("forward.overflow", "P", "on huge logits"),
    ("forward.row_max", "P", "on widely spread logits"),
    ("forward.underflow", "loss", "where p underflows"),
    ("forward.gather", "loss", "where a class is absent"),
    ("forward.edge_sizes", "loss", "at sizes of 1"),
    ("backward.stable", "dZ2", "on huge logits"),
    ("backward.relu_zero", "dZ1", "where Z1 is 0"),
)
"""(check, tensor, when): tensors that may be right on ordinary inputs and wrong here."""

BEYOND_NUMBERS = (
    *("forward.cache", "forward.scalar", "forward.shapes", "forward.numpy_only"),
    *("backward.vectorised", "pytorch.autograd"),
)
"""Checks that look at more than the numbers of a call, and so may be lost without any fault; all
others the reference wins without one, as a test holds."""

OWN_LOSS = "backward.own_loss"
"""Compares each gradient with finite differences of the loss that the submission itself gives."""

WHOLE_GRAPH = ("pytorch.autograd", "pytorch.graph")
"""Where these pass, the gradients are those of the loss that the PyTorch part gives."""

LAYER_ALONE = {kind: f"layers.{kind}" for kind in ("linear", "relu", "loss")}
LAYER_STATE, LAYERS_COMPOSED = "layers.state", "layers.composed"
"""The checks of the reusable layers: each alone, called again, and joined."""
