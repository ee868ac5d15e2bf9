"""The steps of one examination: which function is called on which case, and in which order.

A step's name says what it shows, such as `forward/primes` or `backward/primes/again`;
checks look their observations up by it. Names are made and taken apart here.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np

from grader.child.engine import SCALE, WEIGHTS
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

LAYERED = "layers/"
"""How the steps of the reusable layers begin: an extra, on which nothing else depends."""

SCALED, REWEIGHTED = "torch/scaled", "torch/reweighted"
"""The calls of the PyTorch part in which autograd's engine is altered."""

SCALES = (1.5, 2.5)
"""Between these lies the factor that its gradients get: far from every factor of a mistake."""

VERIFY_CASES = ("primes", "square", "more_rows")


class Call(StrEnum):
    """What a step calls; the kind of its request."""

    FORWARD = "forward"
    BACKWARD = "backward"
    TORCH = "torch"
    VERIFY = "verify"
    LAYERS = "layers"


def call_of(name: str) -> Call:
    """Return what the step of that name calls."""
    first = name.partition("/")[0]
    return Call(first) if first in tuple(Call) else Call.FORWARD


@dataclass(frozen=True, slots=True)
class Step:
    """One request on a case. `handle` names the forward whose cache a backward is given.

    `repeats` is the name of the timed step that it does again, "" for none. `engine` is the
    alteration of autograd's engine in this call and its secret, () for none; see `child.engine`.
    """

    name: str
    kind: Call
    case: Case
    handle: str = ""
    flags: tuple[str, ...] = ()
    repeats: str = ""
    engine: tuple[str, str] | tuple[()] = ()

    @property
    def alone(self) -> bool:
        """Return whether it is a request of its own: its time matters, or it has flags."""
        return bool(self.flags or self.engine) or self.case.name == REALISTIC

    @property
    def items(self) -> Mapping[str, Any]:
        """Return what the child is given; a backward has its cache."""
        inputs = {} if self.kind is Call.BACKWARD else self.case.inputs
        altered = dict([self.engine]) if self.engine else {}
        return {
            **inputs,
            "handle": self.handle or "-",
            **dict.fromkeys(self.flags, "yes"),
            **altered,
        }

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
    kind: Call = field(default=Call.LAYERS, init=False)
    alone: bool = field(default=False, init=False)

    @property
    def items(self) -> Mapping[str, Any]:
        """Return what the child is given."""
        return {**self.stack.inputs, "kinds": " ".join(self.stack.kinds)}

    @property
    def room(self) -> int:
        """Bytes that any reply can need: some values and gradients a layer, in five passes."""
        largest = max(a.nbytes for a in self.stack.inputs.values())
        return 64 * 1024 + 5 * 4 * len(self.stack.kinds) * largest


def numpy_steps(paper: Paper) -> list[Step]:
    """Return every step of the NumPy part. The order of the cases differs from run to run.

    `primes` comes first: what ends the process there would end it everywhere.
    """
    cases = paper.cases
    rest = [name for name in NUMPY_CASES if name != "primes"]
    random.Random(paper.seed).shuffle(rest)
    steps = []
    for name in ("primes", *rest):
        flags = ("want_cache",) if name in ("primes", "float32") else ()
        steps += _both(name, cases[name], (*flags, *(("want_inputs",) if flags else ())))
    again = Step("backward/primes/again", Call.BACKWARD, cases["primes"], "primes")
    steps.insert(2, again)  # at once: an accumulator may start anew when shapes change
    steps.append(_forward("primes/again", cases["primes"]))
    pair = (("first", cases["primes"]), ("second", cases["square"]))
    steps += [_forward(*one) for one in pair] + [_backward(*one) for one in pair]
    steps += _differences(paper)
    return [*steps, *_timed(paper, TIMED_REPEATS), *_drawn(paper)]


def layer_steps(paper: Paper) -> list[StackStep]:
    """Return every step of the reusable layers; the first tells whether there are any."""
    return [StackStep(f"{LAYERED}{name}", stack) for name, stack in paper.stacks.items()]


def torch_steps(paper: Paper) -> list[Step]:
    """Return every step of the PyTorch part and of the verification."""
    cases = paper.cases
    steps = [
        Step(f"torch/{name}", Call.TORCH, cases[name], flags=("want_inputs",) if not i else ())
        for i, name in enumerate(TORCH_CASES)
    ]
    steps.append(Step("torch/primes/again", Call.TORCH, cases["primes"]))
    steps += [Step(f"verify/{name}", Call.VERIFY, cases[name]) for name in VERIFY_CASES]
    return [*steps, *_altered(paper)]


def _altered(paper: Paper) -> list[Step]:
    """Return the calls with autograd's engine altered: by secrets, new ones for each paper."""
    rng = np.random.default_rng([paper.seed, 3])
    factor, weights = rng.uniform(*SCALES), rng.integers(1 << 32)
    primes = paper.cases["primes"]
    return [
        Step(SCALED, Call.TORCH, primes, engine=(SCALE, repr(float(factor)))),
        Step(REWEIGHTED, Call.TORCH, primes, engine=(WEIGHTS, str(int(weights)))),
    ]


def timing_steps(paper: Paper) -> list[Step]:
    """Return the steps that time the reference, the same as a submission's."""
    return _timed(paper, 2 * TIMED_REPEATS)


def _timed(paper: Paper, repeats: int) -> list[Step]:
    steps = []
    for repeat in range(repeats):
        for step in _both(f"{REALISTIC}/{repeat}", paper.cases[REALISTIC], ()):
            steps.append(replace(step, repeats=f"{step.kind}/{REALISTIC}/0" if repeat else ""))
    return steps


def _both(name: str, case: Case, flags: tuple[str, ...] = ()) -> list[Step]:
    return [_forward(name, case, flags), _backward(name, case)]


def _forward(name: str, case: Case, flags: tuple[str, ...] = ()) -> Step:
    return Step(f"forward/{name}", Call.FORWARD, case, name, flags)


def _backward(name: str, case: Case) -> Step:
    return Step(f"backward/{name}", Call.BACKWARD, case, name)


def _differences(paper: Paper) -> list[Step]:
    """Return the candidate's own loss on both sides of `primes`, along one direction per tensor."""
    primes = paper.cases["primes"]
    return [
        Step(
            f"difference/{tensor}/{sign}",
            Call.FORWARD,
            perturbed(primes, tensor, paper.directions[tensor], step),
            f"{tensor}{sign}",
        )
        for tensor in TENSORS
        for sign, step in (("plus", STEP), ("minus", -STEP))
    ]


def _drawn(paper: Paper) -> list[Step]:
    """Return what only the pictures use, last of all: no verdict may depend on it."""
    primes = paper.cases["primes"]
    growing = [
        Step(f"{GROWING}{factor:g}", Call.FORWARD, grown(primes, factor), f"growth{factor:g}")
        for factor in GROWTH
    ]
    sloping = [
        Step(
            f"{SLOPE}{step:.0e}/{sign}",
            Call.FORWARD,
            moved(primes, paper.directions, by),
            f"slope{by:+.0e}",
        )
        for step in SLOPE_STEPS
        for sign, by in (("plus", step), ("minus", -step))
    ]
    return growing + sloping
