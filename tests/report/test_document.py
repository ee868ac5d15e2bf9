"""`result.json` is the contract's, whatever a submission holds."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from grader import __version__
from grader.errors import HarnessError
from grader.records import Result
from grader.report import json_text, result_json

PROMISED = {
    "schema_version": int,
    "grader_version": str,
    "seed": int,
    "submission": dict,
    "rubric": dict,
    "status": str,
    "score": float,
    "max_score": float,
    "band": (str, type(None)),
    "parts": list,
    "checks": list,
    "defects": list,
    "isolation": dict,
    "timing": dict,
}


def test_has_what_the_contract_promises(usual: Result) -> None:
    document = result_json(usual)
    for key, kind in PROMISED.items():
        assert isinstance(document[key], kind), key
    assert document["schema_version"] == 2
    assert document["grader_version"] == __version__
    assert document["submission"]["files"] == ["answers.md", "solution.py", "tools/plot.py"]
    assert document["parts"][0] == {
        "id": "forward",
        "title": "Forward pass",
        "points": 28.0,
        "max_points": 30.0,
        "open_points": 0.0,
        "unjudged_points": 0.0,
    }
    check = next(c for c in document["checks"] if c["id"] == "backward.dW1")
    assert (check["status"], check["part"], check["points"]) == ("fail", "backward", 0.0)
    assert check["explained_by"] == ["batch-mean-missing"]
    assert check["evidence"][0] == {
        "what": "dW1, largest entry",
        "expected": "0.031882",
        "observed": "0.159410",
        "case": "primes",
        "ratio": "5.00",
        "verdict": "fail",
    }
    assert document["defects"][0] == {
        "code": "relu-mask-not-strict",
        "severity": "minor",
        "tensors": ["W1", "b1", "X"],
        "confidence": "likely",
        "message": usual.defects[0].message,
        "hint": usual.defects[0].hint,
        "file": "solution.py",
        "line": 37,
        "end_line": 37,
        "source": usual.defects[0].source,
        "mend": None,
        "part": "intake",
        "where": "network",
    }
    assert document["own_verdict"] is None
    assert document["charges"] == [{"code": "batch-mean-missing", "points": 6.0}]
    assert document["timing"]["wall_s"] == 3.127


@pytest.mark.parametrize("name", ["usual", "hostile", "undecided", "unloadable"])
def test_is_strict_json_and_utf8(name: str, request: pytest.FixtureRequest) -> None:
    document = result_json(request.getfixturevalue(name))
    for ascii_only in (True, False):
        text = json.dumps(document, allow_nan=False, ensure_ascii=ascii_only)
        assert json.loads(text.encode("utf-8")) == document


def test_undecided_has_no_band_and_says_why(undecided: Result) -> None:
    document = result_json(undecided)
    assert (document["status"], document["band"]) == ("undecided", None)
    assert "zygote" in document["fault"]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_our_fault(usual: Result, value: float) -> None:
    with pytest.raises(HarnessError, match="the score"):
        result_json(replace(usual, grade=replace(usual.grade, score=value)))


def test_a_broken_clock_is_null(usual: Result) -> None:
    timing = result_json(replace(usual, timing={"child_s": math.nan}))["timing"]
    assert timing == {"wall_s": 0.0, "child_s": None}


def test_the_network_is_there_as_data(usual: Result) -> None:
    document = result_json(usual)
    assert len(document["graph"]) == len(usual.graph)
    node = next(n for n in document["graph"] if n["name"] == "dZ2")
    assert node == {
        "part": "numpy",
        "name": "dZ2",
        "status": "wrong",
        "because": ["batch-mean-missing"],
        "shape": "[B, C]",
        "measured": False,
        "note": "",
        "file": "solution.py",
        "line": 29,
    }
    assert len(json.dumps(document["graph"])) < 20_000


def test_the_text_says_the_same_and_has_a_line_each_member(usual: Result) -> None:
    document = result_json(usual)
    text = json_text(document)
    assert json.loads(text) == document
    assert len(text.splitlines()) == len(document) + 2
    assert json_text({"a": "two\nlines", "b": "\u2028"}).count("\n") == 4


def test_there_is_no_text_for_what_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_text({"score": math.nan})
