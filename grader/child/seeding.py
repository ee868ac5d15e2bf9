"""What a submission finds of its own when it is loaded: generators, torch without a compiler.

On the child's side.
"""

from __future__ import annotations

import random
import sys
from typing import Any

import numpy as np

from grader.child import standin


def reseed(noise: int) -> None:
    """Give the generators, which are alike in every child, a start of their own.

    Torch's is set directly. `torch.manual_seed` makes a round by every kind of device, and
    for each that is not there formats the whole stack: a third of what a load costs.
    """
    random.seed(noise)
    np.random.seed(noise)
    torch = sys.modules.get("torch")
    if torch is not None and not isinstance(torch, standin.InertModule):
        torch.default_generator.manual_seed(noise)


def run_eagerly() -> None:
    """Let `torch.compile` give back what it is given: here is no compiler, and no time for one."""
    torch = sys.modules.get("torch")
    if torch is not None and not isinstance(torch, standin.InertModule):
        torch.compile = _uncompiled  # type: ignore[attr-defined]


def _uncompiled(model: Any = None, **_options: Any) -> Any:
    """Return the model or function itself, or what does so where it is used with options."""
    return (lambda function: function) if model is None else model
