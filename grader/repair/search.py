"""Finds edits for one part's defects by trying them: an edit is kept when more comes out right."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, pairwise

from grader.checks.view import View
from grader.defects.edits.blame import Blame, Operator
from grader.defects.edits.scope import Scopes
from grader.defects.explanation import same
from grader.defects.facts import first_wrong
from grader.defects.make import kind_of
from grader.observe.reading import NamedTrace
from grader.observe.trace import Trace, TracedValue
from grader.observe.trial import MAX_VERSIONS, Answer, Trials
from grader.problem.network import LEAVES
from grader.records import Array, Defect, Submission
from grader.repair.candidates import IN_CACHE, candidates
from grader.repair.target import Target
from grader.source.edits import SIMPLE, Edit, Text
from grader.source.parsing import UNPARSABLE

MAX_BYTES = 100_000
"""Of a file: the parser's time grows with it, and so does every version's."""

PER_PLACE, PER_FURTHER_PLACE = 48, 18
"""Edits tried at a defect's own lines, and elsewhere."""

PER_DEFECT = 96
"""Edits tried for one defect: 2 ms each."""

PLACES = 10
"""Places at which one defect is looked for: its lines, and where their values come from."""

ALTERNATIVES = 3
"""Edits kept where several do: the trial sees a few cases, the examination all."""

OUTPUTS = ("loss", *LEAVES)

Change = tuple[str, Edit]
"""An edit with the path of the file it is of."""


@dataclass(frozen=True, slots=True)
class Place:
    """Lines to be blamed, and the edits that are tried there."""

    file: str
    first: int
    last: int
    operators: tuple[Operator, ...]
    own: bool = False


@dataclass
class Workpiece:
    """The sources of one submission with the changes made so far."""

    texts: Mapping[str, Text]
    scopes: Mapping[str, Scopes]
    named: NamedTrace
    torch: bool
    forward: str
    made: list[Change] = field(default_factory=list)

    def version(self, path: str, *edits: Edit) -> bytes | None:
        """Return a file with the changes made and further edits; None where they overlap."""
        together = [*(e for p, e in self.made if p == path), *edits]
        together.sort(key=lambda e: (e.start, e.end))
        if any(a.end > b.start or a == b for a, b in pairwise(together)):
            return None
        return self.texts[path].applied(together)

    def packing(self, path: str) -> list[ast.stmt]:
        """Return the statements that hand the cache out of forward."""
        return self.texts[path].returns(self.forward) if path in self.texts else []

    def edits(self, place: Place) -> Iterator[Edit]:
        """Edits that might repair a place."""
        text = self.texts.get(place.file)
        statements = text.statements(place.first, place.last) if text else []
        if text and statements:
            blame = Blame(text, self.scopes[place.file], tuple(statements), self.torch)
            most = PER_PLACE if place.own else PER_FURTHER_PLACE
            yield from islice(candidates(blame, place.operators, widely=place.own), most)


def workpiece(submission: Submission, trace: Trace, view: View, *, torch: bool) -> Workpiece:
    """Return the submission's files that parse, read against the trace."""
    named = view.named if trace is view.trace else view.names_of(trace)
    texts = {}
    for file in submission.files:
        try:
            if file.path.endswith(".py") and len(file.data) <= MAX_BYTES:
                texts[file.path] = Text(file.data)
        except UNPARSABLE:
            continue
    scopes = {p: Scopes(t, p, named, submission.names) for p, t in texts.items()}
    return Workpiece(texts, scopes, named, torch, submission.names.get("forward", "forward"))


class RepairSearch:
    """The search for one part: `repair` one defect after another."""

    def __init__(self, workpiece: Workpiece, trials: Trials, target: Target) -> None:
        self.workpiece, self.trials, self.target = workpiece, trials, target
        path, text = next(iter(workpiece.texts.items()))
        self.now: Answer = trials.try_all(path, [text.data])[0]

    def repair(self, defect: Defect, others: set[str]) -> list[list[Change]]:
        """Return the changes that repair a defect, and others that may do as well; [] for none.

        Afterwards the first of them count as made. `others` are the codes still to be repaired.
        """
        target = self.target.without(others)
        start, best = len(self.workpiece.made), list[list[Change]]()
        done, self.tried = set[Place](), 0
        for place in self._places(defect, target):
            if place in done:
                continue
            if len(done) == PLACES or self.tried >= PER_DEFECT:
                break
            done.add(place)
            found = self._at(place, target)
            if not found:
                continue
            change, self.now = found[0]
            before = self.workpiece.made[start:]
            self.workpiece.made.append(change)
            best = [[*before, other] for other, _ in found]
            if right(self.now, target) == target.keys():
                break
        return best

    def _at(self, place: Place, target: Answer) -> list[tuple[Change, Answer]]:
        """The edits of one place after which most is right, if that is more than now."""
        before = right(self.now, target)
        best: list[tuple[Change, Answer]] = []
        most = len(before)
        edits = self.workpiece.edits(place)
        while batch := list(islice(edits, MAX_VERSIONS)):
            versions = [(e, v) for e in batch if (v := self.workpiece.version(place.file, e))]
            if not self.trials.child.alive:
                break
            answers = self.trials.try_all(place.file, [v for _, v in versions])
            self.tried += len(versions)
            for (edit, _), answer in zip(versions, answers, strict=True):
                after = right(answer, target)
                if before <= after and len(after) >= max(most, len(before) + 1):
                    best = best if len(after) == most else []
                    most = len(after)
                    best.append(((place.file, edit), answer))
            if most == len(target):
                break
        return best[:ALTERNATIVES]

    # ── where to look ────────────────────────────────────────────────────────

    def _places(self, defect: Defect, target: Answer) -> Iterator[Place]:
        """The defect's own lines first; then where wrong values stand as things are now."""
        assert defect.file is not None and defect.line is not None
        last = defect.end_line or defect.line
        operators, kind = kind_of(defect).repairs, kind_of(defect)
        yield Place(defect.file, defect.line, last, operators, own=True)
        if kind.from_cache:
            for statement in self.workpiece.packing(defect.file):
                yield Place(defect.file, statement.lineno, statement.end_lineno or 0, IN_CACHE)
        for others, witness in self.target.companions(defect.code):
            yield from (self._place(v, others) for v in self._holding(witness)[:1])
        wrong = [k for k in target.keys() - right(self.now, target) if k[0] == "primes"]
        for key in sorted(wrong, key=lambda k: OUTPUTS.index(k[1])):
            if key in self.now and self.now[key].size > 1:
                holding = self._holding(self.now[key])
                yield from (self._place(v, operators) for v in (*holding[-1:], *holding[:1]))
        if (first := first_wrong(self.workpiece.named)) is not None:
            yield self._place(first, operators)
        yield from self._around(defect.file, defect.line, last, operators)

    @staticmethod
    def _place(value: TracedValue, operators: tuple[Operator, ...]) -> Place:
        return Place(value.file, value.line, value.end_line, operators)

    def _holding(self, witness: Array) -> list[TracedValue]:
        """The expressions that have a value, in the order of evaluation."""
        return [
            v
            for v in self.workpiece.named.trace.values
            if v.value.size == witness.size
            and (same(witness, v.value) or same(witness, v.value.T) or same(witness, v.last))
        ]

    def _around(
        self, file: str, first: int, last: int, operators: tuple[Operator, ...]
    ) -> Iterator[Place]:
        """The neighbours of the lines blamed, and the statements that make what they read."""
        text = self.workpiece.texts.get(file)
        for statement in text.statements(first, last) if text else ():
            assert text is not None
            block = list(text.block(statement))
            here = block.index(statement)
            near = [*block[here + 1 : here + 2], *block[max(here - 1, 0) : here]]
            for other in (*near, *text.callers(statement), *text.sources(statement)):
                if isinstance(other, SIMPLE):
                    yield Place(file, other.lineno, other.end_lineno or other.lineno, operators)


def right(answer: Answer, target: Answer) -> set[tuple[str, str]]:
    """Return the outputs that are as they should be."""
    return {key for key, want in target.items() if same(want, answer.get(key))}
