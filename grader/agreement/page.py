"""The page `agree.html`: what the statistics say, and the submissions behind them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader import __version__
from grader.agreement.comparison import Compared, Comparison
from grader.agreement.measures import Agreement, Estimate
from grader.agreement.scatter import scatter
from grader.agreement.standing import SOURCE, criteria
from grader.report.pages import render_page

PAGE_FILE = "agree.html"
PACKAGE = "grader.agreement"
MOST_SHOWN = 20
"""Submissions of the table that stand open; the rest is folded."""

SHADES = 4
MINUS = "−"
STATISTICS = (
    ("kappa", "Quadratic weighted kappa of the bands"),
    ("rho", "Spearman’s rho of the marks"),
    ("difference", "Standardised mean difference of the marks"),
    ("exact", "Same band"),
    ("adjacent", "Same or neighbouring band"),
)
"""The members of `Agreement`, and what they are called."""

SHARES = frozenset(["exact", "adjacent"])


@dataclass(frozen=True, slots=True)
class StatisticRow:
    """One statistic in words: of the grader and the panel, and of the markers."""

    title: str
    value: str
    interval: str
    others: str


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One band of the grader's: how many of its submissions the panel puts where.

    Each cell is a count, its shade from 0 to `SHADES`, and whether both agree.
    """

    band: str
    cells: tuple[tuple[int, int, bool], ...]


def render_agreement(comparison: Comparison, title: str, marks: Path) -> str:
    """Return one self-contained page; links lead to the reports beside it."""
    furthest = comparison.furthest
    context = {
        "title": title,
        "marks": marks.name,
        "comparison": comparison,
        "rows": tuple(statistic_rows(comparison)),
        "pairs": [
            (f"{pair.first} and {pair.second}", [value_words(pair, key) for key, _ in STATISTICS])
            for pair in comparison.pairs
        ],
        "statistics": STATISTICS,
        "criteria": criteria(comparison),
        "source": SOURCE,
        "scatter": scatter(comparison.compared),
        "matrix": tuple(_matrix(comparison)),
        "furthest": furthest[:MOST_SHOWN],
        "rest": furthest[MOST_SHOWN:],
        "gap": gap_words,
        "number": number_words,
        "version": __version__,
    }
    styles = ("style.css", "pictures.css", "cohort.css", "agree.css")
    return render_page("agree.html", styles=styles, scripts=(), context=context, package=PACKAGE)


def statistic_rows(comparison: Comparison) -> Iterator[StatisticRow]:
    """Yield each statistic with its interval, and its mean over the pairs of markers."""
    for key, title in STATISTICS:
        mine = estimate_of(comparison.grader, key)
        others = [estimate_of(pair, key).value for pair in comparison.pairs]
        known = [abs(v) if key == "difference" else v for v in others if math.isfinite(v)]
        mean = sum(known) / len(known) if known else math.nan
        yield StatisticRow(title, number_words(key, mine.value), interval_words(key, mine),
                           number_words(key, mean, signed=False))  # fmt: skip


def estimate_of(agreement: Agreement, key: str) -> Estimate:
    """Return one of the statistics by its name in `STATISTICS`."""
    estimate: Estimate = getattr(agreement, key)
    return estimate


def number_words(key: str, value: float, *, signed: bool = True) -> str:
    """Return a statistic as shown, rounded down where it is a share; "–" where it is unknown."""
    if not math.isfinite(value):
        return "–"
    if key in SHARES:
        return f"{math.floor(round(100 * value, 6))} %"
    value = round(value, 2) + 0.0  # no -0.00
    words = f"{value:+.2f}" if key == "difference" and signed and value else f"{value:.2f}"
    return words.replace("-", MINUS)


def interval_words(key: str, estimate: Estimate) -> str:
    """Return an interval as shown, "" without one."""
    if not estimate.has_interval:
        return ""
    low, high = number_words(key, estimate.low), number_words(key, estimate.high)
    return f"{low.removesuffix(' %')} to {high}"


def value_words(agreement: Agreement, key: str) -> tuple[str, str]:
    """Return a statistic of a pair, and its interval."""
    estimate = estimate_of(agreement, key)
    return number_words(key, estimate.value), interval_words(key, estimate)


def gap_words(one: Compared) -> str:
    """Return by how many points the grader is above the panel; "–" without a mark."""
    return f"{one.gap:+.0f}".replace("-", MINUS) if one.mark is not None else "–"


def _matrix(comparison: Comparison) -> Iterator[MatrixRow]:
    both = [(c.band, c.panel_band) for c in comparison.compared if c.panel_band is not None]
    counts = Counter(both)
    tallest = max(counts.values(), default=1)
    order = range(len(comparison.bands) - 1, -1, -1)
    for mine in order if both else ():
        cells = (counts[mine, theirs] for theirs in order)
        yield MatrixRow(
            comparison.band_name(mine),
            tuple(
                (count, math.ceil(SHADES * count / tallest), mine == theirs)
                for theirs, count in zip(order, cells, strict=True)
            ),
        )
