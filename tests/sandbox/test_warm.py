"""A process that is started before it is known what for: it is used up, or it is gone."""

from __future__ import annotations

import signal

import pytest

from grader.sandbox.control import Limits
from grader.sandbox.pool import Zygote
from grader.sandbox.warm import Warming
from tests.sandbox.test_pool import DRIVER

pytestmark = pytest.mark.slow


def test_what_warms_becomes_the_zygote() -> None:
    with Warming(("json",)) as warming:
        with Zygote(DRIVER, ("numpy",), warming=warming) as zygote:
            assert zygote._process is warming.process
            with zygote.spawn(Limits(), 10.0) as child:
                assert child.greet().ended.value == "ok"
        assert warming.process.poll() is not None


def test_one_that_is_confined_otherwise_is_not_used() -> None:
    with Warming(("json",)) as warming:
        one = Zygote(DRIVER, (), unconfined=True, warming=warming)
        assert one._process is not warming.process
        assert "unisolated" in one.facts()
        one.close()
    assert warming.process.poll() is not None


def test_one_that_nobody_took_is_ended_where_it_stands() -> None:
    with pytest.raises(KeyError), Warming(("torch",)) as warming:
        raise KeyError
    assert warming.process.poll() == -signal.SIGKILL  # nobody waits for `import torch`
    assert warming.sock.fileno() == -1
    assert warming.errors.closed


def test_one_without_orders_ends_with_its_socket() -> None:
    with Warming() as warming:
        warming.sock.close()
        assert warming.process.wait(timeout=10) == 0
