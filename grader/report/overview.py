"""`result_json` dictionaries → what the cohort's page places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from sys import intern
from typing import Any, TypeAlias
from urllib.parse import quote

from grader.records import CheckStatus, GradeStatus
from grader.report.figures import percent_of, score_of

Document: TypeAlias = Mapping[str, Any]

BINS = 10
MAX_CHECKS = 8
"""How many of the checks that fail most are listed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One submission. `score` and `percent` are "" while undecided, so they sort last."""

    id: str
    name: str
    href: str
    decided: bool
    fault: str
    score: str
    fraction: float
    points: float
    open_points: float
    percent: str
    band: str
    failed: int
    codes: tuple[str, ...]
    unisolated: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """How many graded submissions have a percentage within `label`."""

    label: str
    count: int


@dataclass(frozen=True, slots=True)
class FailingCheck:
    """A check, and how many submissions fail it."""

    id: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole cohort. `tallest` is the largest bin, for the scale of the bars."""

    rows: tuple[Row, ...]
    graded: int
    undecided: int
    unisolated: int
    median: str
    bins: tuple[Bin, ...]
    tallest: int
    failing: tuple[FailingCheck, ...]
    bands: tuple[str, ...]


def overview(documents: Sequence[Document]) -> Overview:
    """Rows that need a person first (undecided), then by score, best first."""
    rows = sorted(map(_row, documents), key=lambda r: (r.decided, -r.fraction, r.name, r.id))
    graded = [row for row in rows if row.decided]
    bins = _bins(row.fraction for row in graded)
    return Overview(
        rows=tuple(rows),
        graded=len(graded),
        undecided=len(rows) - len(graded),
        unisolated=sum(row.unisolated for row in rows),
        median=percent_of(median(r.fraction for r in graded), 1.0) if graded else "",
        bins=bins,
        tallest=max(item.count for item in bins),
        failing=_failing(documents),
        bands=tuple(dict.fromkeys(row.band for row in graded if row.band)),
    )


def outlined(document: Document) -> dict[str, Any]:
    """What the cohort's pages and the terminal need of a result, some 3 kB of it."""
    plain = ("status", "fault", "score", "max_score", "open_points", "band")
    return {
        **{key: document.get(key) for key in plain},
        "submission": {key: document["submission"].get(key) for key in ("id", "name")},
        "parts": [_few(part, "id", "points") for part in document["parts"]],
        "dimensions": [_few(d, "id", "passed", "total") for d in document.get("dimensions", ())],
        "checks": [
            _few(check, "id", "title", "status")
            for check in document["checks"]
            if check["status"] == CheckStatus.FAIL.value
        ],
        "defects": [_few(d, "code", "severity", "confidence") for d in document["defects"]],
        "isolation": {"any": {"unisolated": ""}} if _unisolated(document) else {},
    }


def _few(item: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Some of an item's keys; words that all submissions share are kept once."""
    some = {key: item.get(key) for key in keys}
    return {k: intern(v) if isinstance(v, str) else v for k, v in some.items()}


def is_decided(document: Document) -> bool:
    """Whether its score says something about the candidate."""
    return bool(document["status"] == GradeStatus.GRADED.value)


def name_of(document: Document) -> str:
    """The candidate's name, or the id when none was given."""
    submission = document["submission"]
    return str(submission.get("name") or submission["id"])


def _row(document: Document) -> Row:
    score, maximum = float(document["score"]), float(document["max_score"])
    decided = is_decided(document)
    identity = str(document["submission"]["id"])
    return Row(
        id=identity,
        name=name_of(document),
        href=f"submissions/{quote(identity.encode('utf-8', 'replace'), safe='')}/report.html",
        decided=decided,
        fault=str(document.get("fault", "")),
        score=score_of(score, maximum) if decided else "",
        fraction=min(1.0, max(0.0, score / maximum)) if decided and maximum > 0 else 0.0,
        points=score,
        open_points=float(document.get("open_points", 0.0)),
        percent=percent_of(score, maximum) if decided else "",
        band=str(document["band"] or "") if decided else "",
        failed=sum(check["status"] == CheckStatus.FAIL.value for check in document["checks"]),
        codes=tuple(dict.fromkeys(str(defect["code"]) for defect in document["defects"])),
        unisolated=_unisolated(document),
    )


def _unisolated(document: Document) -> bool:
    return any("unisolated" in facts for facts in document["isolation"].values())


def _bins(fractions: Iterable[float]) -> tuple[Bin, ...]:
    counts = Counter(min(BINS - 1, int(fraction * BINS)) for fraction in fractions)
    width = 100 // BINS
    return tuple(
        Bin(f"{i * width}–{100 if i == BINS - 1 else (i + 1) * width - 1}", counts[i])
        for i in range(BINS)
    )


def _failing(documents: Sequence[Document]) -> tuple[FailingCheck, ...]:
    failed = [
        check
        for document in documents
        if is_decided(document)
        for check in document["checks"]
        if check["status"] == CheckStatus.FAIL.value
    ]
    titles = {str(check["id"]): str(check.get("title") or check["id"]) for check in failed}
    counts = Counter(str(check["id"]) for check in failed)
    most = counts.most_common(MAX_CHECKS)
    return tuple(FailingCheck(identity, titles[identity], count) for identity, count in most)
