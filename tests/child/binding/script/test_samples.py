"""Right answers written straight down, in the ways that people write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reference import solution as reference
from tests.child.binding.loaded import answers, binding_of, inputs

SAMPLES = {path.stem: path.read_text() for path in (Path(__file__).parent / "samples").glob("*.py")}
WITH_TORCH = ("cells", "in_main", "torch_first")
TENSORS = ("W1", "b1", "W2", "b2", "X")
SIZES = ({}, {"B": 8, "D": 8, "H": 8, "C": 8}, {"B": 13, "D": 4, "H": 2, "C": 5})


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_statements_give_the_right_numbers_on_other_inputs(
    name: str, sizes: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(np, "savez", lambda *_, **__: None)
    binding, given = binding_of(SAMPLES[name]), inputs(**sizes)
    loss, gradients = answers(binding, given)
    wanted, cache = reference.forward(*given.values())
    assert np.isclose(loss, wanted, rtol=1e-12)
    for tensor, gradient in reference.backward(cache).items():
        np.testing.assert_allclose(gradients[tensor], gradient, rtol=1e-9, atol=1e-12)
    assert "statements in lines" in binding.part("numpy").sentence


@pytest.mark.parametrize("name", WITH_TORCH)
def test_autograd_gives_the_right_numbers_on_other_inputs(name: str) -> None:
    assert torch.is_grad_enabled()
    binding, given = binding_of(SAMPLES[name]), inputs()
    loss, gradients = binding.find("torch_forward_backward")(*given.values())
    wanted, cache = reference.forward(*given.values())
    assert np.isclose(float(loss), wanted)
    for tensor, gradient in reference.backward(cache).items():
        np.testing.assert_allclose(gradients[tensor], gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_second_backward_gives_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "savez", lambda *_, **__: None)
    binding = binding_of(SAMPLES[name])
    first, other = (binding.find("forward")(*inputs(B=b).values())[1] for b in (5, 9))
    once = binding.find("backward")(first)
    binding.find("backward")(other)
    again = binding.find("backward")(first)
    assert all(np.array_equal(once[t], again[t]) for t in TENSORS)
