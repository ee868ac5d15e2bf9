"""The output for people in a terminal. Untrusted text passes `visible`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from heapq import nsmallest
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from grader.cohort.outcomes import Graded
from grader.cohort.pace import Pace
from grader.doctor import Facts
from grader.intake import Cohort
from grader.records import CheckStatus, Confidence, Grade, GradeStatus, Result, Unjudged
from grader.report import visible
from grader.report.numbers import display_percent, display_score, plural, tenths
from grader.report.stored import (
    failed_checks,
    fraction_of,
    is_decided,
    is_unjudged,
    why_unscored,
)

MOST_LINES = 12
MOST_NAME = 120
MOST_SOURCE = 100


def plain(text: str) -> str:
    """Return untrusted text on one line, without control characters and markup."""
    return escape(visible(text).replace("\n", " "))


class Terminal:
    """Writes to standard output; bars and colours only where that is a terminal."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.pace = Pace(0)

    @contextmanager
    def waiting(self, words: str) -> Iterator[None]:
        """Return a spinner while something is under way."""
        if not self.console.is_terminal:
            yield
            return
        with self.console.status(f"{plain(words)} …"):
            yield

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[Graded], None]]:
        """Show a bar with rate and time left; plain lines where there is no terminal."""
        pace = self.pace = Pace(total)
        if not self.console.is_terminal:

            def line(graded: Graded) -> None:
                pace.count(graded)
                words = f"  ({pace.words})" if pace.words and pace.done < total else ""
                row = f"\\[{pace.done}/{total}] {_row(graded)}{words}"
                self.console.print(row, soft_wrap=True)

            yield line
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TextColumn("{task.fields[pace]}"), console=self.console) as bar:
            task = bar.add_task("grading", total=total, pace="")

            def advance(graded: Graded) -> None:
                pace.count(graded)
                bar.update(task, advance=1, pace=pace.words)
                if not is_decided(graded.document):
                    bar.console.print(_row(graded))

            yield advance

    def result(self, result: Result, page: Path) -> None:
        """Print the summary of one submission, the worst first."""
        grade = result.grade
        self.console.print(f"[bold]{plain(result.submission.name)}[/bold]  {_verdict(result)}")
        if result.unjudged is not None:
            self._unjudged(result.unjudged, page)
            return
        for part in grade.parts:
            score = display_score(part.points, part.max_points)
            words = [f"{score} of {part.max_points:g}"] if part.max_points else []
            left = grade.unjudged_in(part)
            words += [f"{left:g} not judged: no way to call it"] if left else []
            words += [f"{part.open_points:g} open"] if part.open_points else []
            self.console.print(f"  {plain(part.title):<44} {', '.join(words)}")
        for sentence in (*grade.gates, *(mistake.says for mistake in grade.mistakes)):
            self.console.print(f"  [yellow]→[/yellow] {plain(sentence)}", soft_wrap=True)
        self._corrections(result)
        self._defects(result)
        self._unexplained(grade)
        waiting = sum(c.status is CheckStatus.SKIPPED for c in grade.checks)
        if waiting:
            self.console.print(f"  {waiting} checks were not assessed; the report says why")
        if "unisolated" in result.observations.numpy.isolation:
            self.console.print("  [bold red]UNISOLATED: this code ran with your rights[/bold red]")
        self.console.print(f"Report: {page}", soft_wrap=True)

    def _unjudged(self, why: Unjudged, page: Path) -> None:
        """Print what was tried, how far it came, and what a person can do."""
        for place in why.found:
            self.console.print(f"  computes: {plain(place)}", soft_wrap=True)
        for attempt in why.attempts:
            part = "by hand" if attempt.part == "numpy" else "with PyTorch"
            words = attempt.error or "no function could be given the exercise's arguments"
            if attempt.call:
                where = f" ({attempt.file}:{attempt.line})" if attempt.line else ""
                words = f"{attempt.call}, which ended with {attempt.error}{where}"
            self.console.print(f"  tried {part}: {plain(words)}", soft_wrap=True)
        self.console.print(f"  {plain(why.advice)}", soft_wrap=True)
        for line in why.settings:
            self.console.print(f"      {escape(visible(line))}", soft_wrap=True)
        self.console.print(f"Report: {page}", soft_wrap=True)

    def _corrections(self, result: Result) -> None:
        """Print the lines that were corrected before grading, and why others were not."""
        for c in result.corrections[:MOST_LINES]:
            self.console.print(f"  graded with {plain(c.path)}:{c.line} corrected", soft_wrap=True)
            for sign, text in (("-", c.before), ("+", c.after)):
                self.console.print(
                    f"      {sign} {plain(text.strip()[:MOST_SOURCE])}", soft_wrap=True
                )
        self._rest(len(result.corrections), "corrected lines, in the report")
        if result.uncorrected:
            self.console.print(f"  not corrected: {plain(result.uncorrected)}", soft_wrap=True)

    def _defects(self, result: Result) -> None:
        """Print each named bug: its line, its cost, its message; the most expensive first."""
        costs = {charge.code: charge.points for charge in result.grade.charges}
        order = sorted(
            result.defects, key=lambda d: (-costs.get(d.code, 0.0), d.file or "", d.line or 0)
        )
        for defect in order[:MOST_LINES]:
            cost = f"  -{tenths(costs[defect.code])}" if costs.get(defect.code) else ""
            where = f"  {plain(defect.file)}:{defect.line}" if defect.file and defect.line else ""
            likely = "" if defect.confidence is Confidence.PROVEN else f"  ({defect.confidence})"
            head = f"  [red]✗[/red] [bold]{defect.code}[/bold]{cost}{where}{likely}"
            self.console.print(head, soft_wrap=True)
            if defect.source:
                source = plain(defect.source.strip()[:MOST_SOURCE])
                self.console.print(f"      {source}", soft_wrap=True)
            self.console.print(f"      {plain(defect.message)}", soft_wrap=True)
        self._rest(len(order), "more, in the report")

    def _unexplained(self, grade: Grade) -> None:
        """Print the failed checks: each that no bug explains, the others as a number."""
        failed = [c for c in grade.checks if c.status in (CheckStatus.FAIL, CheckStatus.ERROR)]
        rows = [c for c in failed if not c.explained_by]
        for check in rows[:MOST_LINES]:
            self.console.print(f"  [red]✗[/red] {check.id}: {plain(check.message)}", soft_wrap=True)
        self._rest(len(rows), "more, in the report")
        explained = len(failed) - len(rows)
        if explained:
            only = "1 check fails" if explained == 1 else f"{explained} checks fail"
            self.console.print(f"  {only} only because of these bugs")

    def cohort(self, graded: Collection[Graded], out: Path) -> None:
        """Print the cohort as a table, best first, and where the pages are."""
        table = Table("submission", "score", "band", "failed checks", box=None, pad_edge=False)
        for g in nsmallest(4 * MOST_LINES, graded, key=_best_first):
            band = g.document["band"] or g.document["status"]
            decided = is_decided(g.document)
            score = _score(g) if decided else "–"
            failed = str(len(failed_checks(g.document))) if decided else "–"
            table.add_row(plain(g.id), score, plain(band), failed)
        self.console.print(table)
        if len(graded) > 4 * MOST_LINES:
            self.console.print(f"… and {len(graded) - 4 * MOST_LINES} more, in the index")
        kept = self.pace.kept
        note = f", {kept} kept from an earlier run" if kept else ""
        self.console.print(f"{len(graded)} submissions{note}. Index: {out / 'index.html'}")
        if self.pace.unjudged:
            words = f"{self.pace.unjudged} unjudged, without a score: see “Needs review” there."
            self.console.print(words)

    def cut_short(self) -> None:
        """Print how much of an interrupted run is safe."""
        done, total = self.pace.done, self.pace.total
        words = f"{done} of {total} are graded and kept; the same command goes on with the rest."
        self.console.print(f"Cut short: {words}")

    def left_out(self, cohort: Cohort) -> None:
        """Print the layout, the entries that are no submission, and names that look alike."""
        if cohort.layout != "plain":
            self.console.print(f"Read as an export of {cohort.layout}.")
        count = len(cohort.left_out)
        if count:
            names = ", ".join(plain(name[:MOST_NAME]) for name in cohort.left_out[:MOST_LINES])
            more = f" and {count - MOST_LINES} more" if count > MOST_LINES else ""
            self.console.print(f"{count} left out: {names}{more}", soft_wrap=True)
        for group in cohort.alike[:MOST_LINES]:
            self.console.print(f"Names that look alike: {plain(', '.join(group))}", soft_wrap=True)

    def exported(self, written: Path, count: int, left_out: Sequence[str]) -> None:
        """Print where an export went, and whom it could not include."""
        self.console.print(f"{plural(count, 'submission')}. Written: {written}", soft_wrap=True)
        for reason in left_out[:MOST_LINES]:
            self.console.print(f"  left out: {plain(reason)}", soft_wrap=True)
        self._rest(len(left_out), "more left out")

    def _rest(self, count: int, words: str) -> None:
        """Print how many of `count` lines were not shown."""
        if count > MOST_LINES:
            self.console.print(f"  … and {count - MOST_LINES} {words}")

    def text(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)

    def facts(self, facts: Facts) -> None:
        """Print the facts of `grader doctor`."""
        for title, rows in facts.sections:
            self.console.print(f"[bold]{title}[/bold]")
            for name, value in rows:
                self.console.print(f"  {name:<28} {plain(value)}", soft_wrap=True)
        self.console.print(plain(facts.verdict), soft_wrap=True)


def _verdict(result: Result) -> str:
    grade = result.grade
    if grade.status is GradeStatus.UNDECIDED:
        return f"[yellow]undecided[/yellow]: {plain(result.fault)}"
    if result.unjudged is not None:
        return f"[yellow]unjudged[/yellow], no score: {plain(result.unjudged.sentence)}"
    score = display_score(grade.score, grade.max_score)
    percent = display_percent(grade.score, grade.max_score)
    still = f"; {grade.unjudged:g} of them could not be judged" if grade.unjudged else ""
    still += f"; {grade.open_points:g} more points wait for a human" if grade.open_points else ""
    return f"{score} of {grade.max_score:g} ({percent} %) {plain(grade.band or '')}{still}"


def _row(graded: Graded) -> str:
    if not is_decided(graded.document):
        status = graded.document["status"]
        return f"{plain(graded.id)} {plain(status)}: {plain(why_unscored(graded.document))}"
    note = ", kept" if graded.kept else ""
    return f"{plain(graded.id)} {_score(graded)} {plain(graded.document['band'] or '')}{note}"


def _best_first(graded: Graded) -> tuple[float, str]:
    """Return the place in the table: who needs review first, then by score."""
    share = fraction_of(graded.document)
    unjudged = -2.0 if is_unjudged(graded.document) else 1.0
    return -share if share is not None else unjudged, graded.id


def _score(graded: Graded) -> str:
    return display_score(graded.document["score"], graded.document["max_score"])
