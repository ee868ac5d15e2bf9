"""The network's tensors: shapes, and what each is computed from."""

from __future__ import annotations

from collections.abc import Mapping

from grader.problem.network import LEAVES

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

STEPS = {"shift": "P", "picked": "loss", "P_used": "dZ2", **{t: f"d{t}" for t in LEAVES}}
"""The tensor at which a step of the fault table shows, where it is not its own name."""
