"""The network's tensors: shapes, what each is computed from, and which checks compare it."""

from __future__ import annotations

from collections.abc import Mapping

from grader.defects.faults import LEAVES

INPUTS = ("X", "W1", "b1", "W2", "b2")

SHAPES = {
    **{"X": "[B, D]", "W1": "[D, H]", "b1": "[H]", "W2": "[H, C]", "b2": "[C]"},
    **{"Z1": "[B, H]", "H1": "[B, H]", "Z2": "[B, C]", "P": "[B, C]", "loss": "a scalar"},
    **{"dZ2": "[B, C]", "dH1": "[B, H]", "dZ1": "[B, H]"},
    **{"dW1": "[D, H]", "db1": "[H]", "dW2": "[H, C]", "db2": "[C]", "dX": "[B, D]"},
}

Parents = Mapping[str, tuple[str, ...]]
"""What each tensor is computed from, each after those that it needs."""

NUMPY: Parents = {
    **dict.fromkeys(INPUTS, ()),
    **{"Z1": ("X", "W1", "b1"), "H1": ("Z1",), "Z2": ("H1", "W2", "b2")},
    **{"P": ("Z2",), "loss": ("P",), "dZ2": ("P", "loss"), "dW2": ("H1", "dZ2"), "db2": ("dZ2",)},
    **{"dH1": ("dZ2", "W2"), "dZ1": ("dH1", "Z1"), "dW1": ("X", "dZ1"), "db1": ("dZ1",)},
    "dX": ("dZ1", "W1"),
}
TORCH: Parents = {
    **dict.fromkeys(INPUTS, ()),
    **{"Z1": ("X", "W1", "b1"), "H1": ("Z1",), "Z2": ("H1", "W2", "b2"), "loss": ("Z2",)},
    **dict.fromkeys(("dW2", "db2", "dW1", "db1", "dX"), ("loss",)),
}

COMPARED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "numpy": {
        "loss": ("forward.loss", "forward.scalar"),
        **{f"d{t}": (f"backward.d{t}", f"backward.d{t}_shape") for t in LEAVES},
    },
    "torch": {"loss": ("pytorch.loss",), **{f"d{t}": (f"pytorch.d{t}",) for t in LEAVES}},
}
"""The checks that compare a tensor's numbers on ordinary inputs."""

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

RARE = (
    *("softmax-no-max-shift", "softmax-global-max"),
    *("loss-log-underflow", "loss-log-epsilon"),
)
"""Faults that need not show on ordinary inputs."""

STEPS = {"shift": "P", "picked": "loss", "P_used": "dZ2", **{t: f"d{t}" for t in LEAVES}}
"""The tensor at which a step of the fault table shows, where it is not its own name."""

NOT_RETURNED = ("grad-missing", "torch-leaf-without-grad")
