"""The content of the cohort's page, from stored results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from sys import intern
from typing import Any
from urllib.parse import quote

from grader.report.numbers import percent_of, score_of
from grader.report.review_reasons import REASONS, review_reasons
from grader.report.stored import (
    Document,
    failed_checks,
    fraction_of,
    is_decided,
    is_unisolated,
    is_unjudged,
    name_of,
    score_in,
    why_unscored,
)

BINS = 10
MAX_COUNTED = 8
"""How many of the checks that fail most, and of the defects, stand open; the rest is folded."""

MAX_NAMED = 12
"""How many candidates a list on the page names; the table finds the others."""

SHARES = ((0.0, "under half"), (0.5, "half and more"), (0.8, "four fifths and more"), (1.0, "all"))
"""From which share of a dimension's checks one is counted where, and how that is called."""


@dataclass(frozen=True, slots=True)
class CohortRow:
    """One submission. `score` is "" without a score, and then `fault` says why.

    `shares` are its dimensions' in the cohort's order, -1 where no check ran.
    """

    id: str
    name: str
    decided: bool
    unjudged: bool
    fault: str
    score: str
    fraction: float
    open_points: float
    band: str
    failed: int
    codes: tuple[str, ...]
    reasons: tuple[str, ...]
    shares: tuple[float, ...]
    unisolated: bool

    @property
    def href(self) -> str:
        """Return its report, beside the cohort's page."""
        return f"submissions/{quote(self.id.encode('utf-8', 'replace'), safe='')}/report.html"


@dataclass(frozen=True, slots=True)
class ScoreBin:
    """How many graded submissions have a percentage within `label`."""

    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Tally:
    """A check or a defect, and how many submissions it hits. `title` is "" without one."""

    id: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class DimensionSummary:
    """How the cohort did in one dimension: the mean share, and how many reach each of `SHARES`."""

    title: str
    mean: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReviewList:
    """Rows that need review for one reason; `named` are the first few."""

    key: str
    title: str
    meaning: str
    count: int
    named: tuple[CohortRow, ...]


@dataclass(frozen=True, slots=True)
class SimilarGroup:
    """Ids of answers that are built alike, and the least share of structure in common."""

    ids: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True)
class SimilarAnswers:
    """Answers that are built alike; `share` is of their structure, rounded down."""

    count: int
    share: str
    named: tuple[CohortRow, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole cohort. `tallest` is the largest bin, for the scale of the bars."""

    rows: tuple[CohortRow, ...]
    graded: int
    undecided: int
    unjudged: int
    unisolated: int
    median: str
    bins: tuple[ScoreBin, ...]
    tallest: int
    failing: tuple[Tally, ...]
    defects: tuple[Tally, ...]
    dimensions: tuple[DimensionSummary, ...]
    review_lists: tuple[ReviewList, ...]
    similar: tuple[SimilarAnswers, ...]
    bands: tuple[str, ...]


def overview(documents: Collection[Document], groups: Sequence[SimilarGroup] = ()) -> Overview:
    """Return rows that need a person first (unjudged, undecided), then by score, best first.

    Median, histogram, counts and dimensions are of those that have a score.

    Goes through the documents twice, and keeps none of them.
    """
    (titles, failing), same = _in_common(documents), Same()
    rows = sorted(
        (_row(document, tuple(titles), same) for document in documents),
        key=lambda r: (r.decided, not r.unjudged, -r.fraction, r.name, r.id),
    )
    graded = [row for row in rows if row.decided]
    bins = _bins(row.fraction for row in graded)
    return Overview(
        rows=tuple(rows),
        graded=len(graded),
        undecided=sum(not row.decided and not row.unjudged for row in rows),
        unjudged=sum(row.unjudged for row in rows),
        unisolated=sum(row.unisolated for row in rows),
        median=percent_of(median(r.fraction for r in graded), 1.0) if graded else "",
        bins=bins,
        tallest=max(item.count for item in bins),
        failing=failing,
        defects=_most(Counter(code for row in graded for code in row.codes), {}),
        dimensions=tuple(_dimensions(list(titles.values()), graded)),
        review_lists=tuple(_review_lists(rows)),
        similar=tuple(_similar(rows, groups)),
        bands=tuple(dict.fromkeys(row.band for row in graded if row.band)),
    )


def outline(document: Document) -> dict[str, Any]:
    """Return what the cohort's pages and the terminal need of a result, some 2 kB of it."""
    plain = ("status", "fault", "reason", "score", "max_score", "open_points", "band", "structure")
    return {
        **{key: document[key] for key in plain if key in document},
        "submission": {key: document["submission"].get(key) for key in ("id", "name")},
        "parts": [
            _few(part, "id", "points", "max_points", "unjudged_points")
            for part in document["parts"]
        ],
        "dimensions": [
            _few(d, "id", "title", "passed", "total") for d in document.get("dimensions", ())
        ],
        "checks": [_few(check, "id", "title", "status") for check in failed_checks(document)],
        "defects": [_few(d, "code", "severity", "confidence") for d in document["defects"]],
        "isolation": {"any": {"unisolated": ""}} if is_unisolated(document) else {},
        "reasons": review_reasons(document),
    }


def _few(item: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return some of an item's keys; words that all submissions share are kept once."""
    some = {key: item.get(key) for key in keys}
    return {k: intern(v) if isinstance(v, str) else v for k, v in some.items()}


class Same(dict[Any, Any]):
    """Maps each value to the first one equal to it, so that rows share what they have in common."""

    def __missing__(self, value: Any) -> Any:
        self[value] = value
        return value


def _row(document: Document, dimensions: Sequence[str], same: Same) -> CohortRow:
    score, maximum = score_in(document), float(document["max_score"])
    decided = is_decided(document)
    identity, name = str(document["submission"]["id"]), name_of(document)
    codes = dict.fromkeys(intern(str(defect["code"])) for defect in document["defects"])
    return CohortRow(
        id=identity,
        name=name if name != identity else identity,
        decided=decided,
        unjudged=is_unjudged(document),
        fault=same[why_unscored(document)],
        score=same[score_of(score, maximum)] if decided else "",
        fraction=fraction_of(document) or 0.0,
        open_points=float(document.get("open_points", 0.0)),
        band=same[str(document["band"] or "")] if decided else "",
        failed=len(failed_checks(document)),
        codes=same[tuple(codes)],
        reasons=same[tuple(review_reasons(document))],
        shares=same[_shares(document, dimensions)],
        unisolated=is_unisolated(document),
    )


def _shares(document: Document, dimensions: Sequence[str]) -> tuple[float, ...]:
    known = {str(d["id"]): (d["passed"], d["total"]) for d in document.get("dimensions", ())}
    pairs = (known.get(id, (0, 0)) for id in dimensions)
    return tuple(passed / total if total else -1.0 for passed, total in pairs)


def _bins(fractions: Iterable[float]) -> tuple[ScoreBin, ...]:
    counts = Counter(min(BINS - 1, int(fraction * BINS)) for fraction in fractions)
    width = 100 // BINS
    return tuple(
        ScoreBin(f"{i * width}–{100 if i == BINS - 1 else (i + 1) * width - 1}", counts[i])
        for i in range(BINS)
    )


def _in_common(documents: Iterable[Document]) -> tuple[dict[str, str], tuple[Tally, ...]]:
    """Return the titles of all dimensions by id, and all checks that fail, most frequent first."""
    dimensions, checks, counts = dict[str, str](), dict[str, str](), Counter[str]()
    for document in documents:
        for dimension in document.get("dimensions", ()):
            id = str(dimension["id"])
            dimensions[id] = str(dimension.get("title") or id)
        for check in failed_checks(document) if is_decided(document) else ():
            checks[check["id"]] = check["title"] or check["id"]
            counts[check["id"]] += 1
    return dimensions, _most(counts, checks)


def _most(counts: Counter[str], titles: Mapping[str, str]) -> tuple[Tally, ...]:
    most = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Tally(identity, titles.get(identity, ""), count) for identity, count in most)


def _dimensions(titles: Sequence[str], graded: Sequence[CohortRow]) -> Iterator[DimensionSummary]:
    for at, title in enumerate(titles):
        shares = [row.shares[at] for row in graded if row.shares[at] >= 0.0]
        if shares:
            places = Counter(sum(share >= least for least, _ in SHARES) - 1 for share in shares)
            counts = tuple(places[place] for place in range(len(SHARES)))
            yield DimensionSummary(title, sum(shares) / len(shares), counts)


def _review_lists(rows: Sequence[CohortRow]) -> Iterator[ReviewList]:
    for key, (title, meaning) in REASONS.items():
        concerned = [row for row in rows if key in row.reasons]
        if concerned:
            yield ReviewList(key, title, meaning, len(concerned), tuple(concerned[:MAX_NAMED]))


def _similar(rows: Sequence[CohortRow], groups: Sequence[SimilarGroup]) -> Iterator[SimilarAnswers]:
    grouped = {id for group in groups for id in group.ids}
    by_id = {row.id: row for row in rows if row.id in grouped}
    for group in groups:
        named = tuple(by_id[id] for id in group.ids if id in by_id)
        if len(named) > 1:
            yield SimilarAnswers(len(named), percent_of(group.share, 1.0), named[:MAX_NAMED])
