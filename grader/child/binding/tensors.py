"""One way to call a candidate's PyTorch part, on arrays or on leaf tensors.

Where the candidate's code ends at the loss, `loss.backward()` is called here, as the script
around it would; the gradients are those that autograd leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.child.binding import places
from grader.child.binding.containers import Container
from grader.child.binding.environment import Environment
from grader.child.binding.flow import Owner
from grader.child.binding.layout import CONTRACT, Layout
from grader.child.binding.names import TENSORS
from grader.child.binding.returns import Spot
from grader.child.binding.source import Function

Array = np.ndarray[Any, Any]
MODEL = ("model", "net", "network", "mlp")
"""What a loss that is handed the model calls it."""


@dataclass(frozen=True)
class TorchFlow:
    """Calls in their order, on arrays or on leaf tensors, and where the gradients arrive."""

    owner: Owner
    stages: tuple[Function, ...]
    tensors: bool
    layout: Layout = CONTRACT
    container: Container | None = None
    at: Mapping[str, places.Place] = field(default_factory=dict)
    loss: tuple[int, Spot] | None = None
    gradients: Mapping[str, Spot] = field(default_factory=dict)

    def run(self, inputs: Mapping[str, Array]) -> tuple[Any, dict[str, Any]]:
        """(loss, gradients by tensor); what has none is None there."""
        results, environment, subject = self.called(inputs)
        assert self.loss is not None
        loss = self.loss[1].read(results[self.loss[0]], subject)
        found: dict[str, Any] = {}
        for tensor, spot in self.gradients.items():
            found[tensor] = as_array_or_none(spot.read(results[-1], subject))
        leaves = self.leaves(environment, subject)
        missing = [t for t in TENSORS if t not in found and t in leaves]
        if missing and _wants_backward(loss, [leaves[t] for t in missing]):
            loss.backward()
        found |= {t: as_array_or_none(leaves[t].grad) for t in missing}
        decoded = {t: None if g is None else self.layout.decode(t, g) for t, g in found.items()}
        return loss, decoded

    def called(self, inputs: Mapping[str, Array]) -> tuple[list[Any], Environment, Any]:
        """The results of all calls."""
        sizes = dict(zip("BD", inputs["X"].shape, strict=True))
        sizes |= dict(zip("HC", inputs["W2"].shape, strict=True))
        given = self.layout.encode(inputs)
        if self.tensors:
            given = {name: leaf(name, array, self.layout) for name, array in given.items()}
        environment = Environment(given, sizes, self.container)
        subject = self.owner.begin(environment)
        if subject is not None:
            environment.made |= dict.fromkeys(MODEL, subject)
        results = []
        for number, stage in enumerate(self.stages):
            try:
                results.append(environment.call(stage, self.owner.target(subject, stage)))
            except Exception as error:
                error.add_note(f"stage {number}") if hasattr(error, "add_note") else None
                raise
        return results, environment, subject

    def leaves(self, environment: Environment, subject: Any) -> dict[str, Any]:
        """The tensors whose `.grad` autograd fills."""
        found = {n: places.get(subject, p) for n, p in self.at.items()}
        for name in TENSORS:
            value = environment.given.get(name)
            if name not in found and self.tensors and (name == "X" or not self.at):
                found[name] = value
        return {n: v for n, v in found.items() if places.is_tensor(v)}

    @property
    def sentence(self) -> str:
        calls = ", then ".join(stage.heading for stage in self.stages)
        return f"PyTorch, {self.owner.title}: {calls}"

    @property
    def deviations(self) -> tuple[str, ...]:
        said = list(self.layout.words)
        if getattr(self.owner, "fixed_sizes", False):
            said.append("the class is made at sizes of its own, and given weights of others")
        return tuple(f"PyTorch part: {words}" for words in said)


def leaf(name: str, array: Array, layout: Layout) -> Any:
    """An argument as a tensor of its own, of which autograd fills `.grad`; y as indices."""
    import torch

    if name == "y":
        tensor = torch.as_tensor(np.array(array))
        return tensor if layout.labels == "onehot" else tensor.long()
    return torch.tensor(np.array(array), requires_grad=True)


def _wants_backward(loss: Any, leaves: list[Any]) -> bool:
    """Whether nobody has called backward yet."""
    fresh = all(leaf.grad is None for leaf in leaves)
    return fresh and places.is_tensor(loss) and bool(loss.requires_grad)


def as_array_or_none(value: Any) -> Array | None:
    if value is None:
        return None
    return np.asarray(value.detach().cpu().numpy() if places.is_tensor(value) else value)
