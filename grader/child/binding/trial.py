"""The small case on which bindings are tried: made here, judged by shape alone (child's side)."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

SIZES: Mapping[str, int] = {"B": 29, "D": 23, "H": 31, "C": 19}
"""Distinct primes, none of which is a size of a graded case; every class fits into the batch."""

MAX_TRIALS = 120
"""Most of them end at their first product of matrices, after some 20 µs."""

SECONDS = 2.0
"""Of the processor's time, for all trials of one part."""

WAITING = 3.0
"""Times as long by the clock on the wall, for what sleeps."""

RAISED = (Exception, SystemExit, KeyboardInterrupt, GeneratorExit)
"""What a trial may raise and another be tried after it; `TrialsTooLong` ends them all."""


class TrialsTooLong(BaseException):
    """The time for all trials is up. No `Exception`: a candidate may catch those and go on."""


@dataclass
class Watch:
    """The time that trials may take; `ended` says that it cut them short."""

    seconds: float
    ended: bool = False

    def __post_init__(self) -> None:
        self.cpu = time.process_time() + self.seconds
        self.wall = time.monotonic() + WAITING * self.seconds

    def is_up(self) -> bool:
        """By the processor's time: on a busy machine a right answer takes no less of it."""
        return time.process_time() > self.cpu or time.monotonic() > self.wall


@contextmanager
def limited(paths: Iterable[str], seconds: float) -> Iterator[Watch]:
    """Ends the block after `seconds`, in the middle of a loop of the candidate's too.

    A trace function looks at the clock before each line of the files in `paths`, for a
    confined process has neither timer nor thread. What the block raises otherwise, a
    candidate's own `BaseException` among it, ends it as well: what was found by then stands.
    """
    own, watch = frozenset(paths), Watch(seconds)

    def line(_frame: FrameType, _event: str, _argument: Any) -> Any:
        if watch.is_up():
            raise TrialsTooLong
        return line

    def enter(frame: FrameType, _event: str, _argument: Any) -> Any:
        return line if frame.f_code.co_filename in own else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield watch
    except BaseException as error:
        watch.ended = isinstance(error, TrialsTooLong)
    finally:
        sys.settrace(before)


def small_case(seed: int = 20) -> dict[str, Array]:
    """X [B, D], y [B], W1 [D, H], b1 [H], W2 [H, C], b2 [C] in float64; every class occurs."""
    rng = np.random.default_rng(seed)
    B, D, H, C = (SIZES[s] for s in "BDHC")
    y = rng.permutation(np.concatenate([np.arange(C), rng.integers(C, size=B - C)]))
    return {
        "X": rng.normal(size=(B, D)),
        "y": y.astype(np.int64),
        "W1": rng.normal(size=(D, H)) / np.sqrt(D),
        "b1": 0.5 * rng.normal(size=H),
        "W2": rng.normal(size=(H, C)) / np.sqrt(H),
        "b2": 0.5 * rng.normal(size=C),
    }


def renamed(case: Mapping[str, Array]) -> dict[str, Array]:
    """Return the same case with its classes under other numbers.

    Whatever the candidate computes, right or wrong, what the classes are called must not
    matter: a loss that changes was given its labels in a form that it does not understand.
    """
    order = np.random.default_rng(21).permutation(case["b2"].size)
    back = np.argsort(order)
    return {
        **case, "W2": case["W2"][:, order].copy(), "b2": case["b2"][order].copy(),
        "y": back[case["y"]],
    }  # fmt: skip
