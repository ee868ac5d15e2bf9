"""The generators that a submission may draw from, set to a start of its own (child's side)."""

from __future__ import annotations

import random
import sys

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
