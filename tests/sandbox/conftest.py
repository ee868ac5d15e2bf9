"""One warm process for all tests of this room, and what they leave behind."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from grader.observe.zygotes import DRIVER
from grader.sandbox.pool import Zygote


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """A real one, with NumPy and without torch."""
    with Zygote(DRIVER, ("numpy", "json")) as warm:
        warm.facts()
        yield warm


@pytest.fixture
def no_leak(zygote: Zygote) -> Iterator[None]:
    """No descriptor of this process is open after the test that was not before."""
    zygote.facts()
    before = set(os.listdir("/proc/self/fd"))
    yield
    assert set(os.listdir("/proc/self/fd")) == before
