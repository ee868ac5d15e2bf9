"""The steps of one examination: which function is called on which case, and in which order.

A step's name says what it shows, such as `forward/primes` or `backward/primes/again`;
checks look their observations up by it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.problem import Paper, Stack
from grader.problem.cases import (
    EDGE,
    GROWTH,
    HUGE,
    LABEL_TYPES,
    ORDINARY,
    SLOPE_STEPS,
    grown,
    moved,
    perturbed,
)
from grader.problem.compare import STEP
from grader.records import TENSORS, Case

TIMED_REPEATS = 3
REALISTIC = "realistic"
"""The case that is timed."""

NUMPY_CASES = (*ORDINARY, "duplicated", *EDGE, *HUGE, *LABEL_TYPES, "zeros", "float32")
TORCH_CASES = ("primes", "more_rows", "square", "batch_is_classes", "absent", *EDGE, "overflow")
GROWING, SLOPE = "growth/", "slope/"
DRAWN = (GROWING, SLOPE)
"""How the steps begin whose answers are only drawn."""

VERIFY_CASES = ("primes", "square", "more_rows")


LAYERED = "layers/"
"""How the steps of the reusable layers begin: an extra, on which nothing else depends."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request on a case. `handle` names the forward whose cache a backward is given."""

    name: str
    kind: str
    case: Case
    handle: str = ""
    flags: tuple[str, ...] = ()

    @property
    def alone(self) -> bool:
        """Whether it is a request of its own: its time matters, or more than the usual is asked."""
        return bool(self.flags) or self.case.name == REALISTIC

    @property
    def items(self) -> Mapping[str, Any]:
        """What the child is given; a backward has its cache."""
        inputs = {} if self.kind == "backward" else self.case.inputs
        return {**inputs, "handle": self.handle or "-", **dict.fromkeys(self.flags, "yes")}

    @property
    def room(self) -> int:
        """Bytes that any reply can need: inputs, and a cache of many intermediates."""
        batch, features, hidden, classes = self.case.sizes.values()
        weights = batch * features + features * hidden + hidden * classes + hidden + classes
        return 64 * 1024 + 8 * (4 * weights + 16 * batch * (hidden + classes))


@dataclass(frozen=True, slots=True)
class StackStep:
    """One request on a stack of layers."""

    name: str
    stack: Stack
    kind: str = field(default="layers", init=False)
    alone: bool = field(default=False, init=False)

    @property
    def items(self) -> Mapping[str, Any]:
        """What the child is given."""
        return {**self.stack.inputs, "kinds": " ".join(self.stack.kinds)}

    @property
    def room(self) -> int:
        """Bytes that any reply can need: some values and gradients a layer, in five passes."""
        largest = max(a.nbytes for a in self.stack.inputs.values())
        return 64 * 1024 + 5 * 4 * len(self.stack.kinds) * largest


def numpy_steps(paper: Paper) -> list[Step]:
    """Every step of the NumPy part. The order of the cases differs from run to run.

    `primes` comes first: what ends the process there would end it everywhere.
    """
    cases = paper.cases
    rest = [name for name in NUMPY_CASES if name != "primes"]
    random.Random(paper.seed).shuffle(rest)
    steps = []
    for name in ("primes", *rest):
        flags = ("want_cache",) if name in ("primes", "float32") else ()
        steps += _both(name, cases[name], (*flags, *(("want_inputs",) if flags else ())))
    again = Step("backward/primes/again", "backward", cases["primes"], "primes")
    steps.insert(2, again)  # at once: an accumulator may start anew when shapes change
    steps += [
        Step("forward/primes/again", "forward", cases["primes"], "primes/again"),
        Step("forward/first", "forward", cases["primes"], "first"),
        Step("forward/second", "forward", cases["square"], "second"),
        Step("backward/first", "backward", cases["primes"], "first"),
        Step("backward/second", "backward", cases["square"], "second"),
    ]
    steps += _differences(paper)
    for repeat in range(TIMED_REPEATS):
        steps += _both(f"realistic/{repeat}", cases["realistic"], ())
    return [*steps, *_drawn(paper)]


def layer_steps(paper: Paper) -> list[StackStep]:
    """Every step of the reusable layers; the first tells whether there are any."""
    return [StackStep(f"{LAYERED}{name}", stack) for name, stack in paper.stacks.items()]


def torch_steps(paper: Paper) -> list[Step]:
    """Every step of the PyTorch part and of the verification."""
    cases = paper.cases
    steps = [
        Step(f"torch/{name}", "torch", cases[name], flags=("want_inputs",) if not i else ())
        for i, name in enumerate(TORCH_CASES)
    ]
    steps.append(Step("torch/primes/again", "torch", cases["primes"]))
    steps += [Step(f"verify/{name}", "verify", cases[name]) for name in VERIFY_CASES]
    steps.append(Step("torch/blocked", "torch", cases["primes"], flags=("blocked",)))
    return steps


def timing_steps(paper: Paper) -> list[Step]:
    """The steps that time the reference; the same as a submission's."""
    return [
        step
        for repeat in range(2 * TIMED_REPEATS)
        for step in _both(f"realistic/{repeat}", paper.cases["realistic"], ())
    ]


def _both(name: str, case: Case, flags: tuple[str, ...]) -> list[Step]:
    return [
        Step(f"forward/{name}", "forward", case, name, flags),
        Step(f"backward/{name}", "backward", case, name),
    ]


def _differences(paper: Paper) -> list[Step]:
    """The candidate's own loss on both sides of `primes`, along one direction per tensor."""
    primes = paper.cases["primes"]
    return [
        Step(
            f"difference/{tensor}/{sign}",
            "forward",
            perturbed(primes, tensor, paper.directions[tensor], step),
            f"{tensor}{sign}",
        )
        for tensor in TENSORS
        for sign, step in (("plus", STEP), ("minus", -STEP))
    ]


def _drawn(paper: Paper) -> list[Step]:
    """What only the pictures look at, last of all: no verdict may depend on it."""
    primes = paper.cases["primes"]
    growing = [
        Step(f"{GROWING}{factor:g}", "forward", grown(primes, factor), f"growth{factor:g}")
        for factor in GROWTH
    ]
    sloping = [
        Step(
            f"{SLOPE}{step:.0e}/{sign}",
            "forward",
            moved(primes, paper.directions, by),
            f"slope{by:+.0e}",
        )
        for step in SLOPE_STEPS
        for sign, by in (("plus", step), ("minus", -step))
    ]
    return growing + sloping
