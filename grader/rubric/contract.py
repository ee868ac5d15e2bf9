"""What a course says of its own skeleton: how every answer written on it is called.

`contract:` in a rubric, or in a file of its own (`--contract FILE`). Declarative: the calls
stand there as the lines of Python that a script would have, and `grader.rubric.calls` lets
through assignments and calls alone. `Contract.told` is what a child is sent.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.json_schema import WithJsonSchema

MOST_LINES = 40

Line: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)
]
NAME = r"^[A-Za-z]\w*(\.[A-Za-z]\w*){0,2}$"
Name: TypeAlias = Annotated[str, StringConstraints(pattern=NAME, max_length=200)]
Lines = tuple[Line, ...]


def _joined(value: object) -> object:
    """`[B, D]` as it is written: a shape is compared as a text."""
    if isinstance(value, list) and all(isinstance(n, str | int) for n in value):
        return f"[{', '.join(map(str, value))}]"
    return value


def _one_of(*shapes: str) -> Any:
    """The metadata of a shape: read from a list, and a list in the schema."""
    listed = [[int(n) if n == "1" else n for n in s.strip("[]").split(", ")] for s in shapes]
    return BeforeValidator(_joined), WithJsonSchema({"enum": listed})


BATCH = _one_of("[B, D]", "[D, B]")
LABELS = _one_of("[B]", "[B, 1]", "[1, B]", "[B, C]", "[C, B]")
FIRST = _one_of("[D, H]", "[H, D]")
SECOND = _one_of("[H, C]", "[C, H]")
BIAS_1 = _one_of("[H]", "[1, H]", "[H, 1]")
BIAS_2 = _one_of("[C]", "[1, C]", "[C, 1]")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Arrays(_Strict):
    """How the skeleton lays its arrays out. W2 lies as W1 does, b2 as b1."""

    X: Annotated[Literal["[B, D]", "[D, B]"], *BATCH] = Field(
        default="[B, D]", description="[D, B] where an example is a column", examples=["[D, B]"]
    )
    y: Annotated[Literal["[B]", "[B, 1]", "[1, B]", "[B, C]", "[C, B]"], *LABELS] = Field(
        default="[B]",
        description="[B], [B, 1], [1, B]: class indices; [B, C], or [C, B] with X [D, B]: one-hot",
        examples=["[B]"],
    )
    W1: Annotated[Literal["[D, H]", "[H, D]"], *FIRST] = Field(
        default="[D, H]", description="[H, D] where weights are transposed", examples=["[H, D]"]
    )
    b1: Annotated[Literal["[H]", "[1, H]", "[H, 1]"], *BIAS_1] = Field(
        default="[H]", description="the shape of a bias", examples=["[1, H]"]
    )
    W2: Annotated[Literal["[H, C]", "[C, H]"], *SECOND] | None = Field(
        default=None, description="as W1 lies; need not be given", examples=["[C, H]"]
    )
    b2: Annotated[Literal["[C]", "[1, C]", "[C, 1]"], *BIAS_2] | None = Field(
        default=None, description="as b1 lies; need not be given", examples=["[1, C]"]
    )

    @property
    def layout(self) -> dict[str, Any]:
        """Return the layout in the words of the child's `Layout`."""
        hot = self.y in ("[B, C]", "[C, B]")
        return {
            "columns": self.X == "[D, B]",
            "transposed": self.W1 == "[H, D]",
            "bias": {"[H]": "flat", "[1, H]": "row", "[H, 1]": "column"}[self.b1],
            "labels": "onehot" if hot else {"[B]": "index", "[B, 1]": "column"}.get(self.y, "row"),
        }


class Places(_Strict):
    """Where the weights stand, each as one would assign it."""

    W1: Line = Field(description="where W1 is", examples=['net.params["W1"]'])
    b1: Line = Field(description="where b1 is", examples=['net.params["b1"]'])
    W2: Line = Field(description="where W2 is", examples=['net.params["W2"]'])
    b2: Line = Field(description="where b2 is", examples=['net.params["b2"]'])


class Weights(Places):
    """Where an object, or the module, keeps the weights."""

    X: Line | None = Field(default=None, description="where X is, if kept", examples=["X_train"])
    y: Line | None = Field(default=None, description="where y is, if kept", examples=["y_train"])


class Gradients(_Strict):
    """Where each gradient is found once all lines have run."""

    W1: Line = Field(description="where the gradient of W1 is", examples=['grads["W1"]'])
    b1: Line = Field(description="where the gradient of b1 is", examples=['grads["b1"]'])
    W2: Line = Field(description="where the gradient of W2 is", examples=['grads["W2"]'])
    b2: Line = Field(description="where the gradient of b2 is", examples=['grads["b2"]'])
    X: Line | None = Field(
        default=None, description="where that of X is, if the skeleton has it", examples=["dX"]
    )


class _Part(_Strict):
    """What both parts say."""

    arrays: Arrays = Field(
        default=Arrays(), description="how the arrays lie", examples=[{"X": ["D", "B"]}]
    )
    make: Lines = Field(
        default=(),
        max_length=MOST_LINES,
        strict=False,
        description="lines that make what holds the weights, before each forward",
        examples=[["net = TwoLayerNet(D, H, C)"]],
    )
    weights: Weights | None = Field(
        default=None,
        description="where the weights are put after `make`; without it they are arguments only",
        examples=[{"W1": 'net.params["W1"]'}],
    )
    gradients: Gradients | None = Field(
        default=None, description="where each gradient is found", examples=[{"W1": 'grads["W1"]'}]
    )


class NumpyPart(_Part):
    """How the hand-written part is called."""

    stepped: Places | None = Field(
        default=None,
        description="in place of `gradients`: where each weight is after a step at the rate `lr`",
        examples=[{"W1": 'net.params["W1"]'}],
    )
    fresh: bool = Field(
        default=False,
        description="the calls change the weights: each backward begins with its own forward",
        examples=[True],
    )

    forward: Lines = Field(
        min_length=1,
        max_length=MOST_LINES,
        strict=False,
        description="the lines up to the loss; X, y, W1, b1, W2, b2, B, D, H and C are given",
        examples=[["loss, grads = net.loss(X, y)"]],
    )
    backward: Lines = Field(
        default=(),
        max_length=MOST_LINES,
        strict=False,
        description="the lines of the backward; none where `forward` gives the gradients too",
        examples=[["grads = net.backward()"]],
    )
    loss: Line | None = Field(
        default=None,
        description="where the loss is; leave it out where the skeleton has none",
        examples=["loss"],
    )


class TorchPart(_Part):
    """How the PyTorch part is called."""

    tensors: bool = Field(
        default=False,
        description="give leaf tensors in place of arrays; X.grad is then the gradient of X",
        examples=[True],
    )
    calls: Lines = Field(
        min_length=1,
        max_length=MOST_LINES,
        strict=False,
        description="all lines, `loss.backward()` among them unless the skeleton calls it",
        examples=[["loss = net(X, y)", "loss.backward()"]],
    )
    loss: Line = Field(description="where the loss is", examples=["loss"])


class Names(_Strict):
    """The contract's functions under the skeleton's names, where only the name differs."""

    forward: Name | None = Field(default=None, description="its name", examples=["forward_pass"])
    backward: Name | None = Field(default=None, description="its name", examples=["backprop"])
    torch_forward_backward: Name | None = Field(
        default=None, description="its name", examples=["torch_gradients"]
    )
    verify: Name | None = Field(default=None, description="its name", examples=["check_agreement"])
    gradient_check: Name | None = Field(
        default=None, description="its name", examples=["numerical_check"]
    )


class Contract(_Strict):
    """A course's own skeleton, said once for all who hand in."""

    title: Line = Field(description="what reports call it", examples=["CS231n, assignment 1"])
    names: Names = Field(
        default=Names(),
        description="functions that only have another name",
        examples=[{"verify": "check_agreement"}],
    )
    numpy: NumpyPart | None = Field(
        default=None,
        description="how the hand-written part is called, where it is not the canonical way",
        examples=[{"forward": ["loss, grads = net.loss(X, y)"]}],
    )
    torch: TorchPart | None = Field(
        default=None,
        description="how the PyTorch part is called, where it is not the canonical way",
        examples=[{"calls": ["loss = model(X, y)", "loss.backward()"]}],
    )

    @property
    def called(self) -> dict[str, str]:
        """Return the contract's names that the skeleton has others for."""
        return {n: own for n, own in self.names.model_dump().items() if own}

    def told(self, *, numpy: bool = True, torch: bool = True) -> str:
        """Return what a child is sent of the parts wanted, as JSON; "" for nothing."""
        chosen = {"numpy": self.numpy if numpy else None, "torch": self.torch if torch else None}
        parts = {side: _told(part) for side, part in chosen.items() if part is not None}
        return json.dumps(parts) if parts else ""

    @property
    def digest(self) -> str:
        """ "sha256:…" of all that it says, however it was written down."""
        text = json.dumps(self.model_dump(), sort_keys=True)
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _told(part: _Part) -> dict[str, Any]:
    lines = part.model_dump(exclude_none=True, exclude={"arrays"})
    return lines | {"layout": part.arrays.layout}
