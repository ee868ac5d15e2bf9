"""What `grader agree` prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from rich.console import Console
from rich.table import Table

from grader.agreement import Comparison, Suggestion
from grader.agreement.page import (
    STATISTICS,
    gap_words,
    interval_words,
    number_words,
    statistic_rows,
    value_words,
)
from grader.agreement.standing import SOURCE, criteria
from grader.report.numbers import plural
from grader.terminal import plain

MOST_DIFFERENT = 10
MOST_NAMED = 12
MOST_PAIRS = 15
VERDICTS = {True: "[green]met[/green]", False: "[red]not met[/red]", None: "not known"}


class AgreementTables:
    """Writes a comparison, and a suggestion, to a console; `out` is where the reports are."""

    def __init__(self, console: Console, out: Path) -> None:
        self.console = console
        self.out = out

    def comparison(self, comparison: Comparison) -> None:
        """Print the statistics, the bar, the markers, and the submissions that differ most."""
        count = plural(len(comparison.compared), "submission")
        self._say(f"{count} by the grader and by {plural(len(comparison.markers), 'marker')}.")
        self._left_out(comparison)
        self._statistics(comparison)
        self._bar(comparison)
        self._pairs(comparison)
        self._furthest(comparison)

    def suggestion(self, suggestion: Suggestion, file: Path) -> None:
        """Print how the fit does on left-out marks, and the diff, if one is proposed."""
        self._say(
            f"\n[bold]Suggestion[/bold], fitted to {plural(suggestion.count, 'submission')} and "
            "tested on those left out of the fit"
        )
        table = _table("", "now", "fitted, on left-out marks")
        rows = (("kappa", "kappa"), ("rho", "rho"), ("error", "mean error in points"))
        for key, title in rows:
            before, after = getattr(suggestion.before, key), getattr(suggestion.after, key)
            table.add_row(title, number_words(key, before), number_words(key, after))
        self.console.print(table)
        if not suggestion.diff:
            self._say(
                "No fit is sure to predict the left-out marks better "
                f"({self._gain(suggestion)}): nothing is proposed."
            )
            return
        self._say(f"On left-out marks, {self._gain(suggestion)}.")
        self.console.print(suggestion.diff.rstrip(), markup=False, soft_wrap=True)
        self._say(f"Written: {plain(str(file))}; `patch` applies it.")

    def _gain(self, suggestion: Suggestion) -> str:
        gain = suggestion.gain
        if math.isfinite(suggestion.after.kappa):
            what = f"kappa changes by {number_words('difference', gain.value)}"
        else:
            what = f"the mean error falls by {number_words('difference', gain.value)} points"
        interval = interval_words("difference", gain)
        return f"{what}, 95 % interval {interval}" if interval else what

    def _left_out(self, comparison: Comparison) -> None:
        unscored = [f"{id} ({status})" for id, status in comparison.unscored]
        self._names("without an automatic score, not in the statistics", unscored)
        self._names("without a mark in the file", comparison.unmarked)
        self._names("marked, but not among the results", comparison.unknown)

    def _names(self, words: str, names: Sequence[str]) -> None:
        if names:
            shown = ", ".join(plain(name[:120]) for name in names[:MOST_NAMED])
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            self._say(f"[yellow]{len(names)} {words}:[/yellow] {shown}{more}")

    def _statistics(self, comparison: Comparison) -> None:
        table = _table("", "grader and panel", "95 % interval", "markers, mean")
        for row in statistic_rows(comparison):
            table.add_row(row.title, row.value, row.interval, row.others)
        self.console.print(table)

    def _bar(self, comparison: Comparison) -> None:
        self._say(f"\n[bold]The field's bar[/bold] ({SOURCE})")
        table = _table("", "demand", "here", "")
        for one, key in zip(criteria(comparison), ("kappa", "kappa", "difference"), strict=True):
            table.add_row(one.title, one.demand, number_words(key, one.value), VERDICTS[one.met])
        self.console.print(table)

    def _pairs(self, comparison: Comparison) -> None:
        if not comparison.pairs:
            return
        self._say("\n[bold]The markers among themselves[/bold]")
        table = _table("", *(key for key, _ in STATISTICS))
        for pair in comparison.pairs[:MOST_PAIRS]:
            cells = (" ".join(filter(None, _bracketed(*value_words(pair, key))))
                     for key, _ in STATISTICS)  # fmt: skip
            table.add_row(plain(f"{pair.first} and {pair.second}"), *cells)
        self.console.print(table)
        if len(comparison.pairs) > MOST_PAIRS:
            self._say(f"… and {len(comparison.pairs) - MOST_PAIRS} more, on the page")

    def _furthest(self, comparison: Comparison) -> None:
        furthest = comparison.furthest[:MOST_DIFFERENT]
        if not furthest:
            return
        self._say("\n[bold]Where they differ most[/bold]")
        for one in furthest:
            mine = _with_band(f"{one.percent:.0f}", comparison.band_name(one.band))
            mark = f"{one.mark:g}" if one.mark is not None else "–"
            theirs = _with_band(mark, comparison.band_name(one.panel_band))
            self._say(f"{gap_words(one):>4}  {plain(one.name)}: grader {mine}, panel {theirs}")
            self._say(f"      {plain(str(self.out / unquote(one.href)))}")

    def _say(self, words: str) -> None:
        self.console.print(words, soft_wrap=True)


def _table(*heads: str) -> Table:
    return Table(*heads, box=None, pad_edge=False)


def _bracketed(value: str, interval: str) -> tuple[str, str]:
    return value, f"({interval})" if interval else ""


def _with_band(mark: str, band: str) -> str:
    return f"{mark} ({plain(band)})" if band else mark
