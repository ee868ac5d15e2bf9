"""Repairs of a wrong submission's defects: searched for, then put through the whole examination."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from grader.checks.view import View
from grader.defects import Repeat
from grader.defects.make import kind_of
from grader.diagnosis.diagnose import Diagnosis
from grader.observe.trace import Trace
from grader.observe.trial import Trials
from grader.records import (
    Case,
    CheckStatus,
    Confidence,
    Defect,
    Finding,
    Part,
    Repair,
    Severity,
    SourceFile,
    Submission,
)
from grader.repair.search import Change, RepairSearch, workpiece
from grader.repair.target import Target, telling_cases
from grader.source.edits import Text
from grader.source.parsing import source_lines

PROOFS = 3
"""Examinations that one submission's repairs may cost."""

SLOW = 0.25
"""Seconds for one call beyond which a submission is too slow to be tried many times over."""

PARTS: Mapping[str, str] = {
    "forward": "the forward pass",
    "backward": "the backward pass",
    "pytorch": "the PyTorch part",
    "verification": "the verification",
}
"""How a check's prefix reads in a sentence."""


@dataclass(frozen=True)
class Workbench:
    """What the engine lends. `examine` runs a submission through every check.

    `trials` opens a child that tries versions of a side ("numpy" or "torch") on some cases.
    """

    examine: Callable[[Submission], Sequence[Finding]]
    trials: Callable[[str, Sequence[Case]], AbstractContextManager[Trials | None]]
    trace: Callable[[str], Trace]


WORDS = "explanations"
"""Checks of what a submission says about itself: a repair leaves its words as they are."""


def repaired(
    submission: Submission,
    view: View,
    findings: Sequence[Finding],
    diagnosis: Diagnosis,
    workbench: Workbench,
) -> tuple[Defect, ...]:
    """Return the defects with the repairs that are proven. The grade rests on none."""
    defects = diagnosis.defects
    if all(f.status in (CheckStatus.PASS, CheckStatus.MANUAL) for f in findings):
        return defects
    options: dict[Defect, list[list[Change]]] = {}
    for side in ("numpy", "torch"):
        able = [d for d in defects if side_of(d) == side and _can_be_repaired(d)]
        if able and not _slow(view, side):
            options |= _options(submission, view, diagnosis, workbench, side, able)
    proofs = _proven(submission, findings, options, workbench)
    return tuple(_with(d, proofs.get(d)) for d in defects)


def side_of(defect: Defect) -> str:
    """Return the part a defect is of: "numpy" or "torch", "" for the verification."""
    return {Part.PYTORCH: "torch", Part.VERIFICATION: ""}.get(defect.part, "numpy")


def _can_be_repaired(defect: Defect) -> bool:
    placed = defect.file is not None and defect.line is not None
    return placed and defect.severity != Severity.INFO and not kind_of(defect).beyond_edits


def _slow(view: View, side: str) -> bool:
    step = view.observations["forward/primes" if side == "numpy" else "torch/primes"]
    return step.seconds > SLOW


def _options(
    submission: Submission,
    view: View,
    diagnosis: Diagnosis,
    workbench: Workbench,
    side: str,
    defects: Sequence[Defect],
) -> dict[Defect, list[list[Change]]]:
    """The changes that the trials suggest for one part's defects."""
    cases = telling_cases(view, side)
    trace = workbench.trace(side)
    on_bench = workpiece(submission, trace, view, torch=side == "torch")
    if not on_bench.texts:
        return {}
    part = diagnosis.accounts[0 if side == "numpy" else 1]
    found: dict[Defect, list[list[Change]]] = {}
    with workbench.trials(side, cases) as trials:
        if trials is None:
            return {}
        search = RepairSearch(on_bench, trials, Target(part, view, cases))
        left = {d.code for d in defects}
        # what makes a second call differ is repaired first: a trial looks at second calls
        for defect in sorted(defects, key=lambda d: kind_of(d).repeat is Repeat.SAME):
            changes = search.repair(defect, left - {defect.code})
            if changes:
                found[defect] = changes
                left.discard(defect.code)
    return found


# ── proof ────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Proof:
    """What an examination of the repaired submission showed."""

    changes: Sequence[Change]
    together: int
    before: Sequence[Finding]
    after: Sequence[Finding]
    submission: Submission

    @property
    def gained(self) -> list[str]:
        return [a.check for b, a in self._pairs() if not _fine(b) and _fine(a)]

    @property
    def left(self) -> list[str]:
        return [a.check for _, a in self._pairs() if not _fine(a)]

    @property
    def holds(self) -> bool:
        """Return whether checks pass that did not, and none that did is lost."""
        return bool(self.gained) and all(_fine(a) or not _fine(b) for b, a in self._pairs())

    def _pairs(self) -> Iterator[tuple[Finding, Finding]]:
        pairs = zip(self.before, self.after, strict=True)
        return ((b, a) for b, a in pairs if _prefix(a.check) != WORDS)

    def words(self, lines: int) -> str:
        """Return the sentence for the report: what passes once `lines` lines are changed."""
        what = "this line" if lines == 1 else f"these {lines} lines"
        others = self.together - 1
        also = f", and {others} other defect{'s' * (others > 1)} mended as shown" if others else ""
        return f"With {what} changed{also}, {self._passes()}."

    def _passes(self) -> str:
        if not self.left:
            return "every check passes"
        failed = {_prefix(check) for check in (*self.gained, *self.left)}
        whole = [p for p in PARTS if p in failed - {_prefix(check) for check in self.left}]
        if whole:
            return f"every check of {' and of '.join(PARTS[p] for p in whole)} passes"
        first, more = self.gained[0], len(self.gained) - 1
        return f"{first} and {more} other checks pass" if more else f"{first} passes"


def _prefix(check: str) -> str:
    return check.partition(".")[0]


def _fine(finding: Finding) -> bool:
    return finding.status in (CheckStatus.PASS, CheckStatus.MANUAL)


def _proven(
    submission: Submission,
    findings: Sequence[Finding],
    options: Mapping[Defect, list[list[Change]]],
    workbench: Workbench,
) -> dict[Defect, Proof]:
    """The changes that the examination bears out: all together, else one by one."""

    def proof(changes: Sequence[Change], together: int) -> Proof:
        after = workbench.examine(changed(submission, changes))
        return Proof(changes, together, findings, after, submission)

    if len(options) == 1:
        [(defect, ways)] = options.items()
        return _best(defect, (proof(way, 1) for way in ways[:PROOFS]))
    if not options:
        return {}
    firsts = {defect: ways[0] for defect, ways in options.items()}
    whole = proof([c for way in firsts.values() for c in way], len(firsts))
    if whole.holds:
        return {d: replace(whole, changes=way) for d, way in firsts.items()}
    found: dict[Defect, Proof] = {}
    for defect, way in list(firsts.items())[: PROOFS - 1]:
        alone = proof(way, 1)
        if alone.holds:
            found[defect] = alone
    return found


def _best(defect: Defect, proofs: Iterator[Proof]) -> dict[Defect, Proof]:
    """The first after which nothing is left to fail, else the one that gains most."""
    held: list[Proof] = []
    for proof in proofs:
        if proof.holds:
            held.append(proof)
            if not proof.left:
                break
    return {defect: min(held, key=lambda p: len(p.left))} if held else {}


def changed(submission: Submission, changes: Sequence[Change]) -> Submission:
    """Return the submission with the edits made."""
    files = []
    for file in submission.files:
        own = [edit for path, edit in changes if path == file.path]
        files.append(SourceFile(file.path, Text(file.data).applied(own)) if own else file)
    return replace(submission, files=tuple(files))


def _with(defect: Defect, proof: Proof | None) -> Defect:
    """The defect with its repair; one that was likely is proven when its part is left spotless."""
    if proof is None:
        return defect
    path = proof.changes[0][0]
    own = [c for c in proof.changes if c[0] == path]
    repair = _repair(proof, path, own)
    part = PREFIXES[side_of(defect)]
    spotless = not any(check.startswith(part) for check in proof.left)
    confidence = Confidence.PROVEN if spotless else defect.confidence
    return replace(defect, mend=repair, confidence=confidence)


PREFIXES = {"numpy": ("forward.", "backward."), "torch": ("pytorch.",), "": ("verification.",)}


def _repair(proof: Proof, path: str, own: Sequence[Change]) -> Repair:
    after = changed(proof.submission, own)
    old, new = (
        source_lines(next(f.data for f in s.files if f.path == path))
        for s in (proof.submission, after)
    )
    diff = list(difflib.unified_diff(old, new, n=1, lineterm=""))[2:]
    gone = [row[1:].strip() for row in diff if row.startswith("-")]
    come = [row[1:].strip() for row in diff if row.startswith("+")]
    line = next((i for i, (a, b) in enumerate(zip(old, new, strict=False), 1) if a != b), 1)
    words = proof.words(max(len(gone), len(come)))
    gone_rows, come_rows, hunks = ("\n".join(rows) for rows in (gone, come, diff))
    return Repair(path, line, gone_rows, come_rows, hunks, tuple(proof.gained), words)
