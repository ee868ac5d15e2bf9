"""What variables that hold a tensor are called."""

from __future__ import annotations

import re
from dataclasses import dataclass

GRADIENT = re.compile(r"^(d|grad_?|delta_?|g)_?", re.IGNORECASE)
ACTIVATION = re.compile(r"h|a\d|act|relu|hidden", re.IGNORECASE)
PRE_ACTIVATION = re.compile(r"z|pre|lin", re.IGNORECASE)
LOGITS = re.compile(r"z|logit|score|out", re.IGNORECASE)
BIAS = re.compile(r"b\d?$|bias", re.IGNORECASE)
LOSS = re.compile(r"loss|cost|nll|ce", re.IGNORECASE)
LEAF = re.compile(r"^(W\d?|b\d?|X)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HandedOn:
    """A value that is right under one name and wrong under the next.

    `wrong` are the names that it should not have, `right` those that it may: `dH1` may equal
    dH1, `Z1` may equal Z1.
    """

    wrong: re.Pattern[str]
    right: re.Pattern[str] | None = None


def plain(name: str) -> str:
    """Return a variable's name without what marks it as a gradient."""
    return GRADIENT.sub("", name.removeprefix("kept ")) or name
