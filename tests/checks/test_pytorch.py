"""The checks of the PyTorch part, each on a right answer and on a spoiled one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from grader.checks.check import Check
from grader.checks.pytorch import (
    GRADIENT_CHECKS,
    autograd,
    float64,
    graph,
    logits,
    loss,
    mean,
    pure,
    repeatable,
    runs,
)
from grader.observe.trace import Trace
from grader.records import TENSORS, Ended, Mismatch, Observation
from tests.checks.simulation import (
    Edit,
    by_batch,
    ends,
    exam,
    fails,
    finding,
    left_open,
    passes,
    put,
    waits,
)

RETAINS = "def f():\n    loss.backward(retain_graph=True)"


def test_runs() -> None:
    fails(runs, ends("torch/", Ended.RAISED), says="torch_forward_backward: raised")
    fails(runs, loaded=Observation(Ended.RAISED, error="ImportError: jax"), says="ImportError: jax")


def test_loss() -> None:
    fails(loss, put("torch/absent", "loss", lambda loss: loss + 1e-6))
    in_single = [put("torch/", name, lambda a: a.astype(np.float32)) for name in ("loss", *TENSORS)]
    passes(loss, *in_single)


@pytest.mark.parametrize(("check", "tensor"), [*zip(GRADIENT_CHECKS, TENSORS, strict=True)])
def test_gradient(check: Check, tensor: str) -> None:
    fails(check, put("torch/absent", tensor, lambda gradient: gradient + 1e-6))
    made = fails(check, put("torch/square", tensor, lambda gradient: gradient[None]))
    assert [(e.tensor, e.mismatch) for e in made.bad] == [(tensor, Mismatch.SHAPE)]


def test_logits() -> None:
    primes = exam().expected["primes"]
    E, y = np.exp(primes["P"]), primes.case.y
    twice = -np.log((E / E.sum(axis=1, keepdims=True))[np.arange(len(y)), y]).mean()
    fails(logits, put("torch/primes", "loss", lambda loss: twice), says="softmax a second time")
    fails(logits, put("torch/overflow", "loss", lambda loss: loss * np.inf))
    waits(logits, put("torch/", "loss", lambda loss: loss + 1))


def test_mean() -> None:
    fails(mean, by_batch("torch/", "loss", lambda loss, B: loss * B), says="loss over the expected")
    passes(mean, put("torch/", "W1", lambda dW1: dW1 + 1))


def test_repeatable() -> None:
    fails(repeatable, put("torch/primes/again", "W1", lambda dW1: 2 * dW1), says="W1: got differs")
    retained = finding(repeatable, trace=Trace(sources={"a.py": tuple(RETAINS.split("\n"))}))
    assert "retain_graph=True in line 2 is not needed" in retained.message


def test_pure() -> None:
    passes(pure)
    made = fails(
        pure, put("torch/primes", "after_W1", lambda W1: W1 + 1e-3), says="W1: got changed"
    )
    assert [(e.tensor, e.mismatch) for e in made.bad] == [("W1", Mismatch.CHANGED)]


def test_float64() -> None:
    fails(float64, put("torch/primes", "W1", lambda dW1: dW1.astype(np.float32)), says="float32")
    rounded = put("torch/", "b2", lambda db2: db2.astype(np.float32).astype(np.float64))
    fails(float64, rounded, says="accurate to float32 only")
    waits(float64, *(put("torch/", t, lambda gradient: None) for t in TENSORS))


def test_graph() -> None:
    fails(graph, put("torch/primes", "X", lambda dX: None), says="dX: got not returned")
    fails(graph, put("torch/primes", "X", lambda dX: 0 * dX), says="zero throughout")


def test_autograd() -> None:
    passes(autograd)
    waits(autograd, ends("torch/scaled", Ended.NOT_RUN))
    waits(autograd, *(put("torch/primes", t, lambda gradient: 0 * gradient) for t in TENSORS))


@pytest.mark.parametrize("named", [TENSORS, ("X",), ("W2", "b2")])
def test_autograd_names_what_stays_when_the_engine_gives_something_else(
    named: tuple[str, ...],
) -> None:
    made = fails(autograd, *(stays("torch/scaled", t, 1.0) for t in named), says="written by hand")
    assert tuple(line.tensor for line in made.bad) == named


def test_autograd_names_what_was_wrong_before_too() -> None:
    wrong = put("torch/primes", "X", lambda dX: 3 * dX + 1)
    made = fails(autograd, wrong, stays("torch/scaled", "X", 1.0), says="dX")
    assert [line.tensor for line in made.bad] == ["X"]


def test_autograd_leaves_to_a_person_what_does_not_come_through_the_loss() -> None:
    left_open(autograd, stays("torch/reweighted", "W1", 1.0))
    left_open(autograd, stays("torch/reweighted", "b2", 1.7))  # a factor that a dummy has measured
    left_open(autograd, ends("torch/scaled", Ended.RAISED))
    left_open(autograd, ends("torch/reweighted", Ended.RAISED))
    left_open(autograd, put("torch/scaled", "X", lambda dX: None))


def stays(step: str, tensor: str, factor: float) -> Edit:
    """Edit: a gradient of a call is a multiple of what the ordinary call gave."""

    def edit(runs: dict[str, Observation]) -> None:
        before = runs["torch/primes"].arrays[tensor]
        run = runs[step]
        runs[step] = replace(run, arrays={**run.arrays, tensor: factor * before})

    return edit
