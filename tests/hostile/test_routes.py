"""Every route of every attack, tried alone: the first one that ends a process hides the rest."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.intake import take_in
from grader.observe.observe import Allowance
from grader.observe.zygotes import Zygotes
from grader.problem import set_paper
from grader.records import Ended, Observations
from tests.hostile import gathering
from tests.hostile.witnesses import Listener, Surroundings
from tests.observe.both_parts import observe

SEED = 20_260_102
ALLOWANCE = Allowance(3.0)
JOBS = 2
ATTACKS = tuple(attack for attack in gathering.ATTACKS if gathering.routes(attack))
TWICE = ("a32-message",)
"""What a first run leaves, only a second one finds."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the attacks are written for Linux")


@dataclass
class Around:
    """The zygotes, and what stands around them."""

    zygotes: Zygotes
    here: Surroundings
    listener: Listener


@pytest.fixture(scope="module")
def around(zygotes: Zygotes) -> Iterator[Around]:
    with Surroundings.made() as here, Listener() as listener, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_TOKEN", here.tokens["environment"])
        here.remember()
        yield Around(zygotes, here, listener)


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_route_is_denied(attack: str, around: Around, tmp_path: Path) -> None:
    knobs = around.here.knobs(around.listener.port)
    paper, zygotes = set_paper(SEED), around.zygotes

    def seen(route: str) -> list[Observations]:
        submission = take_in(gathering.one_route(attack, route, tmp_path, knobs))
        times = 2 if attack in TWICE else 1
        numpy, torch = zygotes.numpy, zygotes.torch
        return [observe(submission, paper, numpy, torch, ALLOWANCE) for _ in range(times)]

    routes = gathering.routes(attack)
    with ThreadPoolExecutor(JOBS) as pool:
        for route, observations in zip(routes, pool.map(seen, routes), strict=True):
            for observation in observations:
                unharmed(route, observation)


def unharmed(route: str, seen: Observations) -> None:
    """Nothing worked, nothing was found, and no fault of the judge's came of it."""
    for report in (seen.numpy, seen.torch):
        assert "WORKED" not in report.output, route
        assert "FOUND CANARY-" not in report.output, route
        assert report.loaded.ended is not Ended.HARNESS, route
        assert report.isolation["seccomp"].startswith("held")
    assert Ended.HARNESS not in {run.ended for run in seen.runs.values()}, route


def test_nothing_came_of_all_these(around: Around) -> None:
    assert around.here.changes() == []
    assert around.listener.heard == []
    assert around.listener.answers()
