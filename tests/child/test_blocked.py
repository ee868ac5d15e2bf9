"""While autograd is blocked nothing runs backward, and afterwards everything does again."""

from __future__ import annotations

import pytest
import torch

from grader.child.blocked import AutogradBlocked, autograd_blocked


def test_every_road_into_the_engine_is_closed_for_a_while() -> None:
    x = torch.ones(2, requires_grad=True)
    with autograd_blocked():
        for run in (
            lambda: (x * x).sum().backward(),
            lambda: torch.autograd.grad((x * x).sum(), x),
        ):
            with pytest.raises(AutogradBlocked):
                run()
    (x * x).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [2.0, 2.0]
