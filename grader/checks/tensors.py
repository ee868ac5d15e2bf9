"""Which checks compare which tensor, and what they look at beside numbers."""

from __future__ import annotations

from collections.abc import Mapping

from grader.checks import ALL_CHECKS, backward, forward, gradients, layers, pytorch, verification
from grader.records import Part

_PARTS = {"numpy": ("forward", "backward"), "torch": ("pytorch",)}


def _compared(parts: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    plain = [c for c in ALL_CHECKS if c.part in parts and c.tensor and not c.condition]
    ids = {c.tensor: sorted(o.id for o in plain if o.tensor == c.tensor) for c in plain}
    return {tensor: tuple(checks) for tensor, checks in ids.items()}


COMPARED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    part: _compared(parts) for part, parts in _PARTS.items()
}
"""The checks that compare a tensor's numbers on ordinary inputs, by part and tensor."""

SPECIAL = tuple((c.id, c.tensor, c.condition) for c in ALL_CHECKS if c.condition)
"""(check, tensor, when): tensors that may be right on ordinary inputs and wrong here."""

BEYOND_NUMBERS = tuple(c.id for c in ALL_CHECKS if c.beyond_numbers)
"""Checks that look at more than the numbers of a call, and so may be lost without any fault; all
others the reference wins without one, as a test holds."""

OWN_LOSS = backward.own_loss.id
"""Compares each gradient with finite differences of the loss that the submission itself gives."""

WHOLE_GRAPH = (pytorch.autograd.id, pytorch.graph.id)
"""Where these pass, the gradients are those of the loss that the PyTorch part gives."""

LAYER_ALONE = {"linear": layers.linear.id, "relu": layers.relu.id, "loss": layers.loss.id}
LAYER_STATE, LAYERS_COMPOSED = layers.state.id, layers.composed.id
"""The checks of the reusable layers: each alone, called again, and joined."""

FOUND_BY: Mapping[Part, str] = {
    Part.INTAKE: forward.loads.id,
    Part.FORWARD: forward.runs.id,
    Part.BACKWARD: gradients.runs.id,
    Part.PYTORCH: pytorch.runs.id,
    Part.VERIFICATION: verification.exists.id,
}
"""The check of each part that what it looks at is there."""
