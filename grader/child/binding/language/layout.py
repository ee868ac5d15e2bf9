"""How a candidate lays the numbers out: rows or columns, transposed weights, one-hot labels.

A layout is a view around every call: the contract's arrays are encoded on the way in, the
gradients decoded on the way out. Views share the arrays' memory wherever that can be, so
whoever writes into an argument is still seen doing so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Shape = list[str | int]


@dataclass(frozen=True)
class Layout:
    """`columns`: X is [D, B]. `transposed`: W1 is [H, D] and W2 [C, H].

    `bias` is "flat" (H,), "row" (1, H) or "column" (H, 1); `labels` are an "index"
    for each example, a "onehot" matrix that lies as X does, a "column" or a "row".
    """

    columns: bool = False
    transposed: bool = False
    bias: str = "flat"
    labels: str = "index"

    def encode(self, inputs: Mapping[str, Array]) -> dict[str, Any]:
        """Return the contract's six arrays as the candidate takes them."""
        given = dict(inputs)
        if self.columns:
            given["X"] = given["X"].T
        if self.transposed:
            given["W1"], given["W2"] = given["W1"].T, given["W2"].T
        for name in ("b1", "b2"):
            given[name] = given[name].reshape(self.bias_shape(given[name].size))
        given["y"] = self._labels(given["y"], inputs["W2"].shape[1], inputs["X"].dtype)
        return given

    def bias_shape(self, size: int) -> tuple[int, ...]:
        """Return the shape of a bias of `size` entries."""
        return {"flat": (size,), "row": (1, size), "column": (size, 1)}[self.bias]

    def _labels(self, y: Array, classes: int, dtype: Any) -> Array:
        if self.labels == "onehot":
            hot = np.zeros((y.size, classes), dtype)
            hot[np.arange(y.size), y] = 1
            return hot.T if self.columns else hot
        return y.reshape({"index": (-1,), "column": (-1, 1), "row": (1, -1)}[self.labels])

    def decode(self, tensor: str, gradient: Array) -> Array:
        """Return a gradient as the contract has it; one of a shape of its own keeps it."""
        turned = self.columns if tensor == "X" else self.transposed
        if tensor in ("b1", "b2"):
            if gradient.shape == self.bias_shape(gradient.size):
                return gradient.reshape(-1)
            return gradient
        return gradient.T if turned and gradient.ndim == 2 else gradient

    @property
    def arrays(self) -> dict[str, Shape]:
        """Return what differs from the contract, as `arrays:` of a rubric's contract has it."""
        hot: Shape = ["C", "B"] if self.columns else ["B", "C"]
        labels: dict[str, Shape] = {"onehot": hot, "column": ["B", 1], "row": [1, "B"]}
        biases: dict[str, Shape] = {"row": [1, "H"], "column": ["H", 1]}
        found: dict[str, Shape] = {"X": ["D", "B"]} if self.columns else {}
        found |= {"W1": ["H", "D"]} if self.transposed else {}
        found |= {"b1": biases[self.bias]} if self.bias != "flat" else {}
        return found | ({"y": labels[self.labels]} if self.labels != "index" else {})

    @property
    def words(self) -> tuple[str, ...]:
        """Return what differs from the contract, in words."""
        said = []
        if self.columns:
            said.append("X is [D, B]: an example a column")
        if self.transposed:
            said.append("W1 is [H, D] and W2 is [C, H]")
        if self.bias != "flat":
            said.append("biases are " + {"row": "(1, H)", "column": "(H, 1)"}[self.bias])
        if self.labels != "index":
            forms = {"onehot": "a one-hot matrix", "column": "[B, 1]", "row": "[1, B]"}
            said.append(f"y is {forms[self.labels]}")
        return tuple(said)


CONTRACT = Layout()


def layouts(one_hot: bool) -> Iterator[Layout]:
    """Yield every layout, the contract's own first; one-hot labels first where a name says so."""
    labels = ("index", "onehot", "column", "row")
    if one_hot:
        labels = ("onehot", "index", "column", "row")
    for base, biases in (
        (Layout(), ("flat", "row")),
        (Layout(transposed=True), ("flat", "row")),
        (Layout(columns=True, transposed=True), ("column", "flat")),
        (Layout(columns=True), ("column", "flat")),
        (Layout(transposed=True), ("column",)),
    ):
        for bias in biases:
            for form in labels:
                if form != "row" or base.columns:
                    yield replace(base, bias=bias, labels=form)


def fits_shapes(
    layout: Layout, shapes: Mapping[str, tuple[int, ...]], case: Mapping[str, Array]
) -> bool:
    """Tell whether weights of these shapes lie as `layout` has them on `case`."""
    encoded = layout.encode(case)
    return all(encoded[name].shape == shape for name, shape in shapes.items())
