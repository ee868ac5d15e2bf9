"""Right answers written straight down, in the ways that people write them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from grader.child.binding import Binding, bind
from grader.child.loading import MemoryFinder, load
from reference import solution as reference
from tests.child.binding.loaded import answers, inputs

SAMPLES = {path.stem: path.read_text() for path in (Path(__file__).parent / "samples").glob("*.py")}
WITH_TORCH = (
    "cells",
    "in_main",
    "in_main_with_defaults",
    "model_first",
    "torch_first",
    "torch_grad",
)
TENSORS = ("W1", "b1", "W2", "b2", "X")
SIZES = ({}, {"B": 8, "D": 8, "H": 8, "C": 8}, {"B": 13, "D": 4, "H": 2, "C": 5})


def binding_of(name: str) -> Binding:
    """Return the binding of a sample, loaded as a child does: what fails there is passed over."""
    files = {f"{name}.py": SAMPLES[name].encode()}
    modules = dict(sys.modules)
    try:
        return bind(load(files, f"{name}.py")[0], files, {})
    finally:
        sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, MemoryFinder)]
        for added in (set(sys.modules) - set(modules)) & {name}:
            del sys.modules[added]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_statements_give_the_right_numbers_on_other_inputs(
    name: str, sizes: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(np, "savez", lambda *_, **__: None)
    binding, given = binding_of(name), inputs(**sizes)
    loss, gradients = answers(binding, given)
    wanted, cache = reference.forward(*given.values())
    assert np.isclose(loss, wanted, rtol=1e-12)
    for tensor, gradient in reference.backward(cache).items():
        np.testing.assert_allclose(gradients[tensor], gradient, rtol=1e-9, atol=1e-12)
    assert "statements in lines" in binding.part("numpy").sentence


@pytest.mark.parametrize("name", WITH_TORCH)
def test_autograd_gives_the_right_numbers_on_other_inputs(name: str) -> None:
    assert torch.is_grad_enabled()
    binding, given = binding_of(name), inputs()
    loss, gradients = binding.find("torch_forward_backward")(*given.values())
    wanted, cache = reference.forward(*given.values())
    assert np.isclose(loss.detach(), wanted)
    for tensor, gradient in reference.backward(cache).items():
        np.testing.assert_allclose(gradients[tensor], gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_second_backward_gives_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "savez", lambda *_, **__: None)
    binding = binding_of(name)
    first, other = (binding.find("forward")(*inputs(B=b).values())[1] for b in (5, 9))
    once = binding.find("backward")(first)
    binding.find("backward")(other)
    again = binding.find("backward")(first)
    assert all(np.array_equal(once[t], again[t]) for t in TENSORS)
