"""A stored result gives back the records that it was written from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.records import Repair, Result
from grader.report import result_json
from grader.report.stored import (
    defects_of,
    failed_checks,
    fraction_of,
    is_decided,
    is_unisolated,
    name_of,
    submission_of,
)


def test_the_defects_come_back_without_their_repairs(usual: Result) -> None:
    mend = Repair("solution.py", 1, "a", "b", "@@ -1 +1 @@", ("forward.loss",), "It passes.")
    repaired = replace(usual, defects=tuple(replace(d, mend=mend) for d in usual.defects))
    assert defects_of(result_json(repaired)) == usual.defects


def test_the_source_comes_back(usual: Result) -> None:
    submission = submission_of(result_json(usual))
    assert submission.source.rstrip("\n") == usual.submission.source.rstrip("\n")
    assert (submission.id, submission.main) == (usual.submission.id, usual.submission.main)


def test_a_share_is_of_the_decided_points_and_unknown_while_undecided(
    usual: Result, undecided: Result
) -> None:
    document = result_json(usual)
    assert fraction_of(document) == pytest.approx(document["score"] / document["max_score"])
    assert fraction_of(document | {"max_score": 0.0}) is None
    assert fraction_of(document | {"score": 1e9}) == 1.0
    assert (is_decided(result_json(undecided)), fraction_of(result_json(undecided))) == (
        False,
        None,
    )


def test_facts_of_the_pages(usual: Result, hostile: Result) -> None:
    document = result_json(usual)
    assert name_of(document) == "Ada Lovelace"
    assert name_of(document | {"submission": {"id": "x", "name": ""}}) == "x"
    assert {check["status"] for check in failed_checks(document)} == {"fail"}
    assert (is_unisolated(document), is_unisolated(result_json(hostile))) == (False, True)
