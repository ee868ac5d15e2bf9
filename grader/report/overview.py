"""`result_json` dictionaries → what the cohort's page places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from sys import intern
from typing import Any, TypeAlias
from urllib.parse import quote

from grader.records import CheckStatus, GradeStatus
from grader.report.figures import percent_of, score_of
from grader.report.wants import REASONS, wants

Document: TypeAlias = Mapping[str, Any]

BINS = 10
MAX_COUNTED = 8
"""How many of the checks that fail most, and of the defects, stand open; the rest is folded."""

MAX_NAMED = 12
"""How many candidates a list on the page names; the table finds the others."""

SHARES = ((0.0, "under half"), (0.5, "half and more"), (0.8, "four fifths and more"), (1.0, "all"))
"""From which share of a dimension's checks one is counted where, and how that is called."""


@dataclass(frozen=True, slots=True)
class Row:
    """One submission. `score` is "" while undecided.

    `shares` are its dimensions' in the cohort's order, -1 where no check ran.
    """

    id: str
    name: str
    decided: bool
    fault: str
    score: str
    fraction: float
    open_points: float
    band: str
    failed: int
    codes: tuple[str, ...]
    wants: tuple[str, ...]
    shares: tuple[float, ...]
    unisolated: bool

    @property
    def href(self) -> str:
        """Its report, beside the cohort's page."""
        return f"submissions/{quote(self.id.encode('utf-8', 'replace'), safe='')}/report.html"


@dataclass(frozen=True, slots=True)
class Bin:
    """How many graded submissions have a percentage within `label`."""

    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A check or a defect, and how many submissions it hits. `title` is "" without one."""

    id: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class Dimension:
    """How the cohort did in one dimension: the mean share, and how many reach each of `SHARES`."""

    title: str
    mean: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows that want a human for one reason; `named` are the first few."""

    key: str
    title: str
    meaning: str
    count: int
    named: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Lookalikes:
    """Answers that are built alike; `share` is of their structure, rounded down."""

    count: int
    share: str
    named: tuple[Row, ...]


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
    failing: tuple[Counted, ...]
    defects: tuple[Counted, ...]
    dimensions: tuple[Dimension, ...]
    wanted: tuple[Wanted, ...]
    lookalikes: tuple[Lookalikes, ...]
    bands: tuple[str, ...]


Group: TypeAlias = tuple[Sequence[str], float]
"""Ids of answers that are built alike, and the share of structure that they have in common."""


def overview(documents: Collection[Document], alike: Sequence[Group] = ()) -> Overview:
    """Rows that need a person first (undecided), then by score, best first.

    Goes through the documents twice, and keeps none of them.
    """
    (titles, failing), same = _in_common(documents), Same()
    rows = sorted(
        (_row(document, tuple(titles), same) for document in documents),
        key=lambda r: (r.decided, -r.fraction, r.name, r.id),
    )
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
        failing=failing,
        defects=_most(Counter(code for row in graded for code in row.codes), {}),
        dimensions=tuple(_dimensions(list(titles.values()), graded)),
        wanted=tuple(_wanted(rows)),
        lookalikes=tuple(_lookalikes(rows, alike)),
        bands=tuple(dict.fromkeys(row.band for row in graded if row.band)),
    )


def outlined(document: Document) -> dict[str, Any]:
    """What the cohort's pages and the terminal need of a result, some 2 kB of it."""
    plain = ("status", "fault", "score", "max_score", "open_points", "band", "structure")
    return {
        **{key: document[key] for key in plain if key in document},
        "submission": {key: document["submission"].get(key) for key in ("id", "name")},
        "parts": [_few(part, "id", "points") for part in document["parts"]],
        "dimensions": [
            _few(d, "id", "title", "passed", "total") for d in document.get("dimensions", ())
        ],
        "checks": [
            _few(check, "id", "title", "status")
            for check in document["checks"]
            if check["status"] == CheckStatus.FAIL.value
        ],
        "defects": [_few(d, "code", "severity", "confidence") for d in document["defects"]],
        "isolation": {"any": {"unisolated": ""}} if _unisolated(document) else {},
        "wants": wants(document),
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


class Same(dict[Any, Any]):
    """Gives the first of equal values for each of them: what rows have in common is kept once."""

    def __missing__(self, value: Any) -> Any:
        self[value] = value
        return value


def _row(document: Document, dimensions: Sequence[str], same: Same) -> Row:
    score, maximum = float(document["score"]), float(document["max_score"])
    decided = is_decided(document)
    identity, name = str(document["submission"]["id"]), name_of(document)
    codes = dict.fromkeys(intern(str(defect["code"])) for defect in document["defects"])
    return Row(
        id=identity,
        name=name if name != identity else identity,
        decided=decided,
        fault=same[str(document.get("fault", ""))],
        score=same[score_of(score, maximum)] if decided else "",
        fraction=min(1.0, max(0.0, score / maximum)) if decided and maximum > 0 else 0.0,
        open_points=float(document.get("open_points", 0.0)),
        band=same[str(document["band"] or "")] if decided else "",
        failed=sum(check["status"] == CheckStatus.FAIL.value for check in document["checks"]),
        codes=same[tuple(codes)],
        wants=same[tuple(intern(key) for key in wants(document))],
        shares=same[_shares(document, dimensions)],
        unisolated=_unisolated(document),
    )


def _unisolated(document: Document) -> bool:
    return any("unisolated" in facts for facts in document["isolation"].values())


def _shares(document: Document, dimensions: Sequence[str]) -> tuple[float, ...]:
    known = {str(d["id"]): (d["passed"], d["total"]) for d in document.get("dimensions", ())}
    pairs = (known.get(id, (0, 0)) for id in dimensions)
    return tuple(passed / total if total else -1.0 for passed, total in pairs)


def _bins(fractions: Iterable[float]) -> tuple[Bin, ...]:
    counts = Counter(min(BINS - 1, int(fraction * BINS)) for fraction in fractions)
    width = 100 // BINS
    return tuple(
        Bin(f"{i * width}–{100 if i == BINS - 1 else (i + 1) * width - 1}", counts[i])
        for i in range(BINS)
    )


def _in_common(documents: Iterable[Document]) -> tuple[dict[str, str], tuple[Counted, ...]]:
    """The titles of all dimensions, by id; and all checks that fail, the most frequent first."""
    dimensions, checks, counts = dict[str, str](), dict[str, str](), Counter[str]()
    for document in documents:
        for dimension in document.get("dimensions", ()):
            id = str(dimension["id"])
            dimensions[id] = str(dimension.get("title") or id)
        for check in document["checks"] if is_decided(document) else ():
            if check["status"] == CheckStatus.FAIL.value:
                id = str(check["id"])
                checks[id] = str(check.get("title") or id)
                counts[id] += 1
    return dimensions, _most(counts, checks)


def _most(counts: Counter[str], titles: Mapping[str, str]) -> tuple[Counted, ...]:
    most = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Counted(identity, titles.get(identity, ""), count) for identity, count in most)


def _dimensions(titles: Sequence[str], graded: Sequence[Row]) -> Iterator[Dimension]:
    for at, title in enumerate(titles):
        shares = [row.shares[at] for row in graded if row.shares[at] >= 0.0]
        if shares:
            places = Counter(sum(share >= least for least, _ in SHARES) - 1 for share in shares)
            counts = tuple(places[place] for place in range(len(SHARES)))
            yield Dimension(title, sum(shares) / len(shares), counts)


def _wanted(rows: Sequence[Row]) -> Iterator[Wanted]:
    for key, (title, meaning) in REASONS.items():
        mine = [row for row in rows if key in row.wants]
        if mine:
            yield Wanted(key, title, meaning, len(mine), tuple(mine[:MAX_NAMED]))


def _lookalikes(rows: Sequence[Row], alike: Sequence[Group]) -> Iterator[Lookalikes]:
    meant = {id for ids, _ in alike for id in ids}
    by_id = {row.id: row for row in rows if row.id in meant}
    for ids, share in alike:
        named = [by_id[id] for id in ids if id in by_id]
        if len(named) > 1:
            yield Lookalikes(len(named), percent_of(share, 1.0), tuple(named[:MAX_NAMED]))
