"""A sign is asked where its checks ended as it says, and nowhere else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from grader.defects.kind import Centrality, Kind, Sighting, Sign
from grader.problem.network import Fault
from grader.records import CheckStatus, Finding, Part

PASS, FAIL, SKIPPED = CheckStatus.PASS, CheckStatus.FAIL, CheckStatus.SKIPPED


def tell(_: Any, findings: Any) -> Any:
    yield Sighting(" ".join(f.check for f in findings))


def sights(sign: Sign, **statuses: CheckStatus) -> list[str]:
    findings = {name: Finding(name, status, "") for name, status in statuses.items()}
    clues: Any = SimpleNamespace(findings=findings)
    return [s.message for s in sign.sights(clues)]


@pytest.mark.parametrize(
    ("sign", "a", "b", "wanted"),
    [
        (Sign(tell), FAIL, FAIL, [""]),
        (Sign(tell, ("a",)), FAIL, PASS, ["a"]),
        (Sign(tell, ("a",)), SKIPPED, PASS, []),
        (Sign(tell, ("a", "b")), FAIL, FAIL, ["a b"]),
        (Sign(tell, ("a", "b")), PASS, FAIL, ["b"]),
        (Sign(tell, ("a",), status=PASS), PASS, FAIL, ["a"]),
        (Sign(tell, ("a",), unless="b"), FAIL, FAIL, []),
        (Sign(tell, ("a",), unless="b"), FAIL, SKIPPED, ["a"]),
        (Sign(tell, ("a",), beside="b"), FAIL, PASS, ["a"]),
        (Sign(tell, ("a",), beside="b"), FAIL, SKIPPED, []),
    ],
)
def test_when_a_sign_is_asked(
    sign: Sign, a: CheckStatus, b: CheckStatus, wanted: list[str]
) -> None:
    assert sights(sign, a=a, b=b) == wanted


def test_a_kind_gives_its_faults_their_code() -> None:
    texts = dict.fromkeys(("what", "shows", "why", "hint", "ask", "wrong", "right"), "")
    fault = Fault("H1", "nothing", lambda f: f["Z1"])
    facts = {"part": Part.FORWARD, "centrality": Centrality.NONE, "faults": (fault,)}
    kind = Kind(code="new", **facts, **texts)
    assert [f.code for f in kind.faults] == ["new"]
    assert fault.code == ""
