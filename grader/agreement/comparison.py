"""The results of a run beside the marks of a panel: what is compared, and what is not and why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import fmean, median, median_low
from urllib.parse import quote

import numpy as np

from grader.agreement.marks import Opinion, PanelMarks, read_marks
from grader.agreement.measures import Agreement, Ratings, agreement
from grader.errors import CallerError
from grader.report.stored import Document, fraction_of, name_of
from grader.review import Folder
from grader.rubric import Rubric

GRADER, PANEL = "grader", "panel"
MOST_INTERVALS = 45
"""Pairs of markers beyond which theirs are left out: ten markers, and some 40 s."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One submission that both the grader and the panel judged.

    `percent` is the grader's score in per cent; bands count from 0, the lowest; `href` leads to
    the report from beside the results.
    """

    id: str
    name: str
    href: str
    percent: float
    band: int | None
    opinions: Mapping[str, Opinion]
    document: Document

    @property
    def marks(self) -> tuple[float, ...]:
        return tuple(o.mark for o in self.opinions.values() if o.mark is not None)

    @property
    def mark(self) -> float | None:
        """Return the median of the markers' marks."""
        return median(self.marks) if self.marks else None

    @property
    def panel_band(self) -> int | None:
        """Return the median of the markers' bands; between two bands the lower one."""
        bands = [o.band for o in self.opinions.values() if o.band is not None]
        return median_low(bands) if bands else None

    @property
    def gap(self) -> float:
        """Return by how many points the grader's score is above the panel's mark; 0 without one."""
        return self.percent - self.mark if self.mark is not None else 0.0

    @property
    def steps(self) -> int:
        """Return by how many bands the grader is above the panel; 0 where one gave none."""
        if self.band is None or self.panel_band is None:
            return 0
        return self.band - self.panel_band


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of it. `bands` are the rubric's names, the highest first.

    Left out of the statistics: `unscored` (id and status), `unmarked` (in the results only), and
    `unknown` (in the file of marks only).
    """

    rubric: Rubric
    bands: tuple[str, ...]
    markers: tuple[str, ...]
    compared: tuple[Compared, ...]
    unscored: tuple[tuple[str, str], ...]
    unmarked: tuple[str, ...]
    unknown: tuple[str, ...]
    grader: Agreement
    pairs: tuple[Agreement, ...]

    @property
    def human_kappa(self) -> float:
        """Return the mean kappa of the pairs of markers; NaN where there is none."""
        known = [pair.kappa.value for pair in self.pairs if pair.kappa.known]
        return fmean(known) if known else math.nan

    @property
    def furthest(self) -> tuple[Compared, ...]:
        """Return those on which the two differ, the largest difference first."""
        apart = [one for one in self.compared if one.gap or one.steps]
        return tuple(sorted(apart, key=lambda c: (-abs(c.gap), -abs(c.steps), c.id)))

    def band_name(self, band: int | None) -> str:
        """Return the rubric's name of a band, "" for none."""
        return "" if band is None else self.bands[len(self.bands) - 1 - band]


def compare(folder: Folder, marks: Path) -> Comparison:
    """Return the results in `folder` beside the marks in the file `marks`.

    Raises `CallerError` when the file is wrong, when the results are of several rubrics, or when
    nothing can be compared.
    """
    documents = {id: folder.result(id) for id in folder.paths}
    rubric = _one_rubric(folder, documents)
    bands = tuple(band.name for band in rubric.bands)
    panel = read_marks(marks, bands)
    by_id, unknown = _matched(panel, documents, marks)
    scored = {id: share for id in by_id if (share := fraction_of(documents[id])) is not None}
    compared = tuple(
        Compared(
            id, name_of(documents[id]), _href(folder, id), round(100 * share, 9),
            _band_of(documents[id], bands), by_id[id], documents[id],
        )
        for id, share in scored.items()
    )  # fmt: skip
    if not compared:
        raise CallerError(f"{marks}: no submission in {folder.out} has both a score and a mark")
    ratings = [_panel(compared, marker) for marker in panel.markers]
    pairs = list(combinations(ratings, 2))
    intervals, count = len(pairs) <= MOST_INTERVALS, len(bands)
    return Comparison(
        rubric=rubric,
        bands=bands,
        markers=panel.markers,
        compared=compared,
        unscored=tuple((id, str(documents[id]["status"])) for id in by_id if id not in scored),
        unmarked=tuple(id for id in documents if id not in by_id),
        unknown=unknown,
        grader=agreement(_grader(compared), _median(compared), count=count),
        pairs=tuple(
            agreement(one, other, count=count, pooled=True, intervals=intervals)
            for one, other in pairs
        ),
    )


def _one_rubric(folder: Folder, documents: Mapping[str, Document]) -> Rubric:
    by_digest = {document["rubric"]["digest"]: document for document in documents.values()}
    if len(by_digest) > 1:
        raise CallerError(
            f"{folder.out}: the results were graded by {len(by_digest)} rubrics; "
            "grade them again by one"
        )
    return folder.rubric(next(iter(by_digest.values())))


def _matched(
    panel: PanelMarks, documents: Mapping[str, Document], file: Path
) -> tuple[dict[str, Mapping[str, Opinion]], tuple[str, ...]]:
    """Return the opinions by the results' ids, and the names that the results lack.

    A name in the file is an id, or else the name of exactly one candidate. Raises `CallerError`
    when two names mean one submission.
    """
    names = [name_of(document) for document in documents.values()]
    by_name = {name_of(d): id for id, d in documents.items() if names.count(name_of(d)) == 1}
    matched: dict[str, str] = {}
    unknown = []
    for name, opinions in panel.opinions.items():
        id = name if name in documents else by_name.get(name)
        if id is None:
            unknown.append(name)
        elif id in matched:
            raise CallerError(f"{file}: “{matched[id]}” and “{name}” are one submission; keep one")
        elif opinions:
            matched[id] = name
    ordered = {id: panel.opinions[matched[id]] for id in documents if id in matched}
    return ordered, tuple(unknown)


def _band_of(document: Document, bands: Sequence[str]) -> int | None:
    name = document["band"]
    return len(bands) - 1 - bands.index(name) if name in bands else None


def _href(folder: Folder, id: str) -> str:
    beside = folder.paths[id].parent.relative_to(folder.out) / "report.html"
    return quote(beside.as_posix().encode("utf-8", "replace"))


# ── who rated what ───────────────────────────────────────────────────────────


def _ratings(name: str, pairs: Iterator[tuple[float | None, int | None]]) -> Ratings:
    """Return the marks and bands of one marker, NaN where there is none."""
    marks, bands = zip(*pairs, strict=True)
    as_floats = [
        np.array([math.nan if v is None else float(v) for v in vs]) for vs in (marks, bands)
    ]
    return Ratings(name, *as_floats)


def _grader(compared: Sequence[Compared]) -> Ratings:
    return _ratings(GRADER, ((c.percent, c.band) for c in compared))


def _median(compared: Sequence[Compared]) -> Ratings:
    return _ratings(PANEL, ((c.mark, c.panel_band) for c in compared))


def _panel(compared: Sequence[Compared], marker: str) -> Ratings:
    nothing = Opinion(None, None, "")
    opinions = (c.opinions.get(marker, nothing) for c in compared)
    return _ratings(marker, ((o.mark, o.band) for o in opinions))
