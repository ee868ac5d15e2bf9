"""Slips that keep an answer from running, corrected so that what is behind them can be graded.

The smallest edits are proposed from the text (`source.corrections`), and proven here by running.
Which of several is taken is decided by whether it runs, never by what it scores: where two run
and answer differently, neither is taken. The defect stays, and is charged for what its
correction wins (`scoring.corrected`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from grader.checks.view import View
from grader.defects.make import kind_of, make
from grader.defects.signs.calls import BY_ENDING, process_defects
from grader.observe.trial import Trials
from grader.records import (
    Case,
    Correction,
    Defect,
    Ended,
    Finding,
    Observation,
    SourceFile,
    Submission,
)
from grader.source.corrections.names import function_lines, respelt
from grader.source.corrections.syntax import MOST_BYTES, SECONDS, SyntaxSearch, error_line
from grader.source.corrections.version import LineEdit, SlipKind, Version, version_of
from grader.source.parsing import source_lines

CALLED = ("forward/primes", "backward/primes", "torch/primes", "verify/primes")
"""The steps that an answer has to come through, so that nothing needs to be corrected."""

ROUNDS = 3
"""Slips one behind the other; each round examines the answer once or a few times."""

READINGS = 24
"""Different readings that are tried: two requests a side. A missing bracket has up to 8."""

EXAMINED = 6
"""Readings with the same numbers that are examined in full: they may differ in `verify`."""

EXAMINING = 10.0
"""Seconds on the clock after which no further examination begins: as long as one part of an
answer may take. An honest examination takes under 1 s."""

FILES = 2
"""Files with slips."""

CASES = ("primes", "square", "absent")
"""Cases on which readings are told apart."""

SAME = 1e-9
"""Relative difference below which two readings answer alike: one formula in other brackets."""


class Uncorrected(StrEnum):
    """Why an answer that does not run was left as it is."""

    NOTHING = "no edit of a few signs or names makes it run"
    SEVERAL = "several edits are equally small and give different results"
    IDEA = "an operator may be missing, and that is the candidate's to write"
    TOO_LONG = "the file is too long, or not in UTF-8"
    NO_TIME = "there are too many ways to mend it, or the time for it was up"


Tried = Callable[[Submission, str, Sequence[Case]], AbstractContextManager[Trials | None]]


@dataclass(frozen=True)
class CorrectionBench:
    """What the engine lends: an examination of a submission, and trials of one side of it."""

    examine: Callable[[Submission], tuple[View, list[Finding]]]
    trials: Tried


@dataclass(frozen=True)
class Corrected:
    """An answer as it was graded. `defects` are those of the slips, `left` why others stayed."""

    submission: Submission
    view: View
    findings: Sequence[Finding]
    corrections: tuple[Correction, ...] = ()
    defects: tuple[Defect, ...] = ()
    left: str = ""


def corrected(
    submission: Submission, view: View, findings: Sequence[Finding], bench: CorrectionBench
) -> Corrected:
    """Return the answer with its slips corrected, as far as that is proven; else as it is."""
    as_it_was = Corrected(submission, view, findings)
    if submission.numbers_only or not submission.main or not _in_trouble(view):
        return as_it_was
    search = _Search(submission, view, findings, bench)
    search.run()
    proven = runs_through(search.submission, search.view, search.made)
    if not search.made or not proven or not _runs(view) < _runs(search.view):
        raises = _raising(submission, view) or not _loaded(view)
        return replace(as_it_was, left=search.left or (Uncorrected.NOTHING if raises else ""))
    return Corrected(
        search.submission,
        search.view,
        search.findings,
        tuple(_corrections(submission, search.submission, search.made)),
        tuple(search.defects()),
        search.left if _in_trouble(search.view) else "",
    )


def _in_trouble(view: View) -> bool:
    return len(_runs(view)) < len(CALLED)


def _runs(view: View) -> set[str]:
    """The steps that give an answer."""
    return {step for step, run in _called(view).items() if run.ok}


def _called(view: View) -> Mapping[str, Observation]:
    return {step: view.observations[step] for step in CALLED}


Made = dict[str, list[LineEdit]]
"""Edits by file, in the order in which they were made."""


@dataclass
class _Search:
    """The answer as it is by now, and the edits that led there."""

    submission: Submission
    view: View
    findings: Sequence[Finding]
    bench: CorrectionBench
    made: Made = field(default_factory=dict)
    left: str = ""
    seen: list[Defect] = field(default_factory=list)
    seconds: float = SECONDS
    until: float = field(default_factory=lambda: time.monotonic() + EXAMINING)

    def run(self) -> None:
        """Correct one slip after another, until the answer runs or nothing is left to try."""
        for _ in range(ROUNDS):
            self.seen += process_defects(self.submission, self.view.observations)
            if not _in_trouble(self.view) or not self._round():
                return

    def _round(self) -> bool:
        """Correct one file; return whether that was done."""
        files = {f.path: f.data for f in self.submission.read if f.path.endswith(".py")}
        for path, readings in self._proposals(files):
            chosen = self._chosen(path, files[path], readings)
            if chosen is not None:
                self.made.setdefault(path, []).extend(chosen.edits)
                return True
        return False

    def _proposals(self, files: Mapping[str, bytes]) -> Iterator[tuple[str, list[Version]]]:
        """The readings of the files that do not parse; of the lines that raise if all do."""
        order = sorted(files, key=lambda path: path != self.submission.main)
        versions = {path: version_of(files[path]) for path in order}
        broken = [p for p, v in versions.items() if v is None or error_line(v.text) is not None]
        for path in broken[:FILES]:
            version = versions[path]
            if version is None or len(files[path]) > MOST_BYTES:
                self.left = Uncorrected.TOO_LONG
                continue
            search = SyntaxSearch(self.seconds)
            search.run(version)
            self.seconds = search.left
            if search.cut_short:
                self.left = Uncorrected.NO_TIME
            elif search.found:
                yield path, search.found
        for path, lines in _raising(self.submission, self.view).items() if not broken else ():
            version = versions.get(path)
            if version is not None and len(files[path]) <= MOST_BYTES:
                yield path, respelt(version, lines)

    # ── the choice ───────────────────────────────────────────────────────────

    def _chosen(self, path: str, data: bytes, readings: Sequence[Version]) -> Version | None:
        """Make the one reading that is left once those are out that do not run."""
        if not readings:
            return None
        if len(readings) > READINGS:
            self.left = Uncorrected.NO_TIME
            return None
        versions = [reading.data(data) for reading in readings]
        alike = [0] if len(readings) == 1 else self._alike(path, versions)
        if not alike:
            self.left = Uncorrected.SEVERAL
            return None
        examined = []
        for number in alike[:EXAMINED]:
            if time.monotonic() > self.until:
                self.left = Uncorrected.NO_TIME
                return None
            answer = changed(self.submission, path, versions[number])
            view, findings = self.bench.examine(answer)
            edits = {path: [*self.made.get(path, ()), *readings[number].edits]}
            if len(alike) == 1 or runs_through(answer, view, self.made | edits):
                examined.append((number, answer, view, findings))
        most = max((len(_runs(view)) for _, _, view, _ in examined), default=0)
        examined = [each for each in examined if len(_runs(each[2])) == most]
        if not examined or len({_statuses(found) for *_, found in examined}) > 1:
            self.left = Uncorrected.SEVERAL
            return None
        if any(is_idea(readings[number]) for number, *_ in examined):
            self.left = Uncorrected.IDEA
            return None
        number, self.submission, self.view, self.findings = examined[0]
        return readings[number]

    def _alike(self, path: str, versions: Sequence[bytes]) -> list[int]:
        """The readings that come furthest, if all of these answer alike; else none."""
        answers = [dict[tuple[str, ...], np.ndarray]() for _ in versions]
        cases = [self.view.exam.paper.cases[name] for name in CASES]
        for side in ("numpy", "torch"):
            with self.bench.trials(self.submission, side, cases) as trials:
                tried = trials.try_all(path, versions) if trials is not None else []
            for answer, found in zip(answers, tried, strict=False):
                answer |= {(side, *key): value for key, value in found.items()}
        furthest = max(answers, key=len)
        best = [n for n, a in enumerate(answers) if a.keys() == furthest.keys()]
        further = any(not a.keys() <= furthest.keys() for a in answers)
        same = all(_same(furthest, answers[number]) for number in best)
        return best if same and not further and len(best) <= EXAMINED else []

    # ── what it costs ────────────────────────────────────────────────────────

    def defects(self) -> Iterator[Defect]:
        """Yield the defects of the slips: those that are gone now, of a kind that has a cost."""
        after = {_key(d) for d in process_defects(self.submission, self.view.observations)}
        slips = {edit.slip for edits in self.made.values() for edit in edits}
        gone = {
            _key(d): d
            for d in self.seen
            if _key(d) not in after and kind_of(d).corrected_cost and d.file in self.made
        }
        if gone and slips <= {SlipKind.PYTHON2, SlipKind.CHARACTERS}:
            least = min(kind_of(d).corrected_cost for d in gone.values())
            gone = {k: d for k, d in gone.items() if kind_of(d).corrected_cost == least}
        if not gone:
            path, edits = next(iter(self.made.items()))
            words = f"{path}, line {edits[0].line}, does not run as it was written."
            raised = make(BY_ENDING[Ended.RAISED], words)
            gone = {(): replace(raised, file=path, line=edits[0].line)}
        yield from gone.values()


def is_idea(version: Version) -> bool:
    """Return whether a version has an operator that the candidate did not write."""
    return any(edit.slip is SlipKind.OPERATOR for edit in version.edits)


def _key(defect: Defect) -> tuple[object, ...]:
    return defect.code, defect.file, defect.line


def _statuses(findings: Sequence[Finding]) -> tuple[tuple[str, str], ...]:
    return tuple((finding.check, finding.status) for finding in findings)


def _same(
    one: Mapping[tuple[str, ...], np.ndarray], other: Mapping[tuple[str, ...], np.ndarray]
) -> bool:
    return all(
        value.shape == other[key].shape
        and np.allclose(value, other[key], rtol=SAME, atol=SAME * _size(value), equal_nan=True)
        for key, value in one.items()
    )


def _size(value: np.ndarray) -> float:
    finite = np.abs(value[np.isfinite(value)])
    return float(finite.max()) if finite.size else 0.0


def _raising(submission: Submission, view: View) -> dict[str, set[int]]:
    """The lines at which the calls raise, and those that were left at module level, by file."""
    places: dict[str, set[int]] = {}
    files = {file.path for file in submission.read}
    observations = view.observations
    loads = (observations.numpy.loaded, observations.torch.loaded)
    for run in (*loads, *_called(view).values()):
        own = [f for f in run.frames if f.file in files]
        if run.ended is Ended.RAISED and own:
            places.setdefault(own[-1].file, set()).add(own[-1].line)
    for note in (*observations.numpy.notes, *observations.torch.notes):
        places.setdefault(note.file, set()).add(note.line)
    return places


def runs_through(
    submission: Submission, view: View, made: Mapping[str, Sequence[LineEdit]]
) -> bool:
    """Return whether no call ends within a function that was edited, or gives what is no answer."""
    texts = {f.path: f.data for f in submission.read if f.path in made}
    for run in _called(view).values():
        if run.ended is Ended.BAD_RETURN:
            return False
        for frame in run.frames if run.ended is Ended.RAISED else ():
            around = function_lines(texts.get(frame.file, b""), frame.line)
            if any(edit.line in around for edit in made.get(frame.file, ())):
                return False
    return _loaded(view)


def _loaded(view: View) -> bool:
    return view.observations.numpy.loaded.ok and view.observations.torch.loaded.ok


def changed(submission: Submission, path: str, data: bytes) -> Submission:
    """Return the submission with other bytes in one file."""
    files = (SourceFile(f.path, data) if f.path == path else f for f in submission.files)
    return replace(submission, files=tuple(files))


def _corrections(before: Submission, after: Submission, made: Made) -> Iterator[Correction]:
    """The lines that differ, each once."""
    old, new = ({f.path: source_lines(f.data) for f in s.files} for s in (before, after))
    for path, edits in made.items():
        slips = {edit.line: edit.slip for edit in edits}
        for line in sorted(slips):
            rows = old[path][line - 1], new[path][line - 1]
            if rows[0] != rows[1]:
                yield Correction(path, line, *rows, slips[line])
