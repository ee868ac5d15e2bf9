"""The zygotes of the whole session, by the side they serve."""

from __future__ import annotations

import pytest

from grader.observe.zygotes import Zygotes
from grader.sandbox.pool import Zygote


@pytest.fixture(scope="session")
def numpy_zygote(zygotes: Zygotes) -> Zygote:
    return zygotes.numpy


@pytest.fixture(scope="session")
def torch_zygote(zygotes: Zygotes) -> Zygote:
    return zygotes.torch
