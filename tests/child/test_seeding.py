"""Each child draws from a start of its own, and the same one each time."""

from __future__ import annotations

import random

import numpy as np

from grader.child.seeding import reseed


def test_the_same_noise_draws_the_same() -> None:
    states = random.getstate(), np.random.get_state()
    draws = []
    for noise in (3, 4, 3):
        reseed(noise)
        draws.append((random.random(), float(np.random.rand())))
    random.setstate(states[0])
    np.random.set_state(states[1])
    assert draws[0] == draws[2] != draws[1]
