"""Finds edits for one part's defects by trying them: an edit is kept when more comes out right."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, pairwise

from grader.checks.view import View
from grader.defects.faults import LEAVES
from grader.diagnosis.facts import first_wrong
from grader.diagnosis.match import same
from grader.diagnosis.sources import read_on_primes
from grader.observe.reading import NamedTrace
from grader.observe.trace import Trace, TracedValue
from grader.observe.trial import MAX_VERSIONS, Answer, Trials
from grader.records import Array, Defect, Submission
from grader.repair.blame import Blame
from grader.repair.orders import candidates
from grader.repair.scope import Scopes
from grader.repair.target import Wanted
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
PACKED = ("grad-from-logits", "grad-unexplained")
"""What may come of a wrong tensor in the cache: the line that packs it is a place, too."""

Change = tuple[str, Edit]
"""An edit with the path of the file it is of."""


@dataclass(frozen=True, slots=True)
class Place:
    """Lines to be blamed, and for what."""

    file: str
    first: int
    last: int
    code: str
    own: bool = False


@dataclass
class Bench:
    """The sources of one submission with the changes made so far."""

    texts: Mapping[str, Text]
    scopes: Mapping[str, Scopes]
    named: NamedTrace
    torch: bool
    forward: str
    made: list[Change] = field(default_factory=list)

    def version(self, path: str, *edits: Edit) -> bytes | None:
        """A file with the changes made and further edits; None where they overlap."""
        together = [*(e for p, e in self.made if p == path), *edits]
        together.sort(key=lambda e: (e.start, e.end))
        if any(a.end > b.start or a == b for a, b in pairwise(together)):
            return None
        return self.texts[path].applied(together)

    def packing(self, path: str) -> list[ast.stmt]:
        """The statements that hand the cache out of forward."""
        return self.texts[path].returns(self.forward) if path in self.texts else []

    def edits(self, place: Place) -> Iterator[Edit]:
        """Edits that might mend a place."""
        text = self.texts.get(place.file)
        statements = text.statements(place.first, place.last) if text else []
        if text and statements:
            blame = Blame(text, self.scopes[place.file], tuple(statements), self.torch)
            most = PER_PLACE if place.own else PER_FURTHER_PLACE
            yield from islice(candidates(blame, place.code, widely=place.own), most)


def bench(submission: Submission, trace: Trace, view: View, *, torch: bool) -> Bench:
    """The submission's files that parse, read against the trace."""
    named = read_on_primes(trace, view)
    texts = {}
    for file in submission.files:
        try:
            if file.path.endswith(".py") and len(file.data) <= MAX_BYTES:
                texts[file.path] = Text(file.data)
        except UNPARSABLE:
            continue
    scopes = {p: Scopes(t, p, named, submission.names) for p, t in texts.items()}
    return Bench(texts, scopes, named, torch, submission.names.get("forward", "forward"))


class Search:
    """The search for one part: `mend` one defect after another."""

    def __init__(self, bench: Bench, trials: Trials, wanted: Wanted) -> None:
        self.bench, self.trials, self.wanted = bench, trials, wanted
        path, text = next(iter(bench.texts.items()))
        self.now: Answer = trials.try_all(path, [text.data])[0]

    def mend(self, defect: Defect, others: set[str]) -> list[list[Change]]:
        """The changes that mend a defect, and others that may do as well; [] for none.

        Afterwards the first of them count as made. `others` are the codes still to be mended.
        """
        target = self.wanted.without(others)
        start, best = len(self.bench.made), list[list[Change]]()
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
            before = self.bench.made[start:]
            self.bench.made.append(change)
            best = [[*before, other] for other, _ in found]
            if right(self.now, target) == target.keys():
                break
        return best

    def _at(self, place: Place, target: Answer) -> list[tuple[Change, Answer]]:
        """The edits of one place after which most is right, if that is more than now."""
        before = right(self.now, target)
        best: list[tuple[Change, Answer]] = []
        most = len(before)
        edits = self.bench.edits(place)
        while batch := list(islice(edits, MAX_VERSIONS)):
            versions = [(e, v) for e in batch if (v := self.bench.version(place.file, e))]
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
        yield Place(defect.file, defect.line, last, defect.code, own=True)
        if defect.code in PACKED:
            for statement in self.bench.packing(defect.file):
                yield Place(defect.file, statement.lineno, statement.end_lineno or 0, PACKED[0])
        for code, witness in self.wanted.companions(defect.code):
            yield from (self._place(v, code) for v in self._holding(witness)[:1])
        wrong = [k for k in target.keys() - right(self.now, target) if k[0] == "primes"]
        for key in sorted(wrong, key=lambda k: OUTPUTS.index(k[1])):
            if key in self.now and self.now[key].size > 1:
                holding = self._holding(self.now[key])
                yield from (self._place(v, defect.code) for v in (*holding[-1:], *holding[:1]))
        if (first := first_wrong(self.bench.named)) is not None:
            yield self._place(first, defect.code)
        yield from self._around(defect.file, defect.line, last, defect.code)

    @staticmethod
    def _place(value: TracedValue, code: str) -> Place:
        return Place(value.file, value.line, value.end_line, code)

    def _holding(self, witness: Array) -> list[TracedValue]:
        """The expressions that have a value, in the order of evaluation."""
        return [
            v
            for v in self.bench.named.trace.values
            if v.value.size == witness.size
            and (same(witness, v.value) or same(witness, v.value.T) or same(witness, v.last))
        ]

    def _around(self, file: str, first: int, last: int, code: str) -> Iterator[Place]:
        """The neighbours of the lines blamed, and the statements that make what they read."""
        text = self.bench.texts.get(file)
        for statement in text.statements(first, last) if text else ():
            assert text is not None
            block = list(text.block(statement))
            here = block.index(statement)
            near = [*block[here + 1 : here + 2], *block[max(here - 1, 0) : here]]
            for other in (*near, *text.callers(statement), *text.sources(statement)):
                if isinstance(other, SIMPLE):
                    yield Place(file, other.lineno, other.end_lineno or other.lineno, code)


def right(answer: Answer, target: Answer) -> set[tuple[str, str]]:
    """The outputs that are as they should be."""
    return {key for key, want in target.items() if same(want, answer.get(key))}
