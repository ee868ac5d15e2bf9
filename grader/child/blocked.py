"""Autograd switched off for a call: gradients that still arrive are hand-written (child's side)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ENGINE = "_engine_run_backward"
"""What `backward`, `grad` and all others call at last, where torch keeps it."""


class AutogradBlocked(RuntimeError):
    """Autograd's engine was asked to run while the judge had it switched off."""


@contextmanager
def autograd_blocked() -> Iterator[None]:
    """Let every road into autograd's engine raise `AutogradBlocked`."""
    import torch.autograd
    import torch.autograd.graph

    def refuse(*_: Any, **__: Any) -> Any:
        raise AutogradBlocked("autograd is switched off for this call")

    places = [m for m in (torch.autograd, torch.autograd.graph) if hasattr(m, ENGINE)]
    originals = [getattr(m, ENGINE) for m in places]
    for place in places:
        setattr(place, ENGINE, refuse)
    try:
        yield
    finally:
        for place, original in zip(places, originals, strict=True):
            setattr(place, ENGINE, original)
