"""Shapes that the source states, against the true ones.

A shape may be stated in a comment or in speech, so silence is no mistake: where
too few are stated the check is left to a human, and costs nothing. Stated and
right earns the points; stated and wrong loses them. What earns is the text
itself, held against the shapes of the problem; the trace, which is the child's
word, only says which tensor a name stands for. What is about nothing that is
known, could be read in two ways, or stands in the starter already, counts
neither way; and words about a pass that does not run are a human's to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from grader.bundled import PACKAGE
from grader.checks.check import Conclusion, check, failed, left_open, passed
from grader.checks.notation import Notation, TracedNames, Truth
from grader.checks.view import View
from grader.observe.naming import Namer
from grader.observe.trace import CASE
from grader.records import CheckStatus, Evidence
from grader.source.shapes.statements import MAX_CHARACTERS, StatedShapes, Statement, read_source
from grader.source.shapes.words import Shape, exact_name, shape_of, written

FORWARD_GROUPS: Mapping[str, tuple[str, ...]] = {
    "Z1": ("Z1", "X @ W1"),
    "H1": ("H1",),
    "Z2": ("Z2", "P", "logP", "H1 @ W2", "Z2 - max", "exp(Z2 - max)"),
    "loss": ("loss",),
}
FORWARD_ENOUGH = 3
"""Of Z1, H1, the logits (or what is made of them row by row) and the loss: people seldom write
of a number that it is one."""

BACKWARD_GROUPS: Mapping[str, tuple[str, ...]] = {
    "dZ2": ("dZ2", "P - onehot"),
    "dZ1": ("dZ1", "dH1"),
    **{name: (name,) for name in ("dW1", "db1", "dW2", "db2", "dX")},
}
BACKWARD_ENOUGH = 4
"""Of the two gradients on the way and the five that are asked for."""


class Correctness(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Assessment:
    """A statement, the name and the true shape of what it is about, and the verdict.

    `tensors` are those of the problem whose shape it states, if it is right.
    """

    file: str
    statement: Statement
    verdict: Correctness
    name: str = ""
    truth: Shape = ()
    tensors: frozenset[str] = frozenset()
    backward: bool = False


# ── verdicts ─────────────────────────────────────────────────────────────────


def judge_statements(view: View) -> list[Assessment]:
    """Return every statement that is clear, in the order of the source."""
    expected = view.expected(CASE)
    ours = set((PACKAGE / "starter" / "solution.py").read_text("utf-8").split("\n"))
    found, room = list[Assessment](), MAX_CHARACTERS
    for path, lines in view.trace.sources.items():
        room -= sum(map(len, lines)) + len(lines) if path.endswith(".py") else 0
        if room < 0:
            break
        source = read_source(lines) if path.endswith(".py") else StatedShapes()
        if source.statements:
            values = [v for v in view.trace.values if v.file == path]
            file = Notation(path, source, TracedNames(values, source.lines), expected.case.sizes)
            own = [s for s in source.statements if source.lines[s.line - 1] not in ours]
            found += [_judged(file, statement, view.namer) for statement in own]
    return [judged for judged in found if judged.verdict is not Correctness.UNCLEAR]


def _judged(file: Notation, statement: Statement, namer: Namer) -> Assessment:
    """Right when it is so of one of its subjects; wrong when it is firm, and about one thing."""
    known = [(s, file.truth(s, statement.function)) for s in statement.subjects]
    truths = [(subject, truth) for subject, truth in known if truth is not None]
    for subject, truth in truths:
        stated = file.stated(statement, sure=bool(exact_name(subject.name)))
        if stated == truth.shape:
            tensors = frozenset(_tensors(truth, namer))
            backward = _is_backward(truth, tensors)
            return Assessment(
                file.path, statement, Correctness.RIGHT, subject.name, stated, tensors, backward
            )
    unclear = Assessment(file.path, statement, Correctness.UNCLEAR)
    if not statement.firm or len(truths) != 1 or len(known) != 1:
        return unclear
    subject, truth = truths[0]
    exact = exact_name(subject.name)
    stated = file.stated(statement, sure=bool(exact))
    if stated is None or not truth.values or (statement.prose and not exact):
        return unclear
    if exact and stated == shape_of(exact):  # what it should be: the code is wrong, not the words
        return unclear
    backward = _is_backward(truth, frozenset({exact}))
    return Assessment(
        file.path, statement, Correctness.WRONG, subject.name, truth.shape, backward=backward
    )


def _tensors(truth: Truth, namer: Namer) -> Iterator[str]:
    """The tensors of the problem that a subject of a known shape is."""
    base = ""
    for value in truth.values[:2]:
        name = namer(value.value)
        base = name.base if name else base
    if base:
        yield base
    exact = exact_name(truth.tensor)
    if shape_of(truth.tensor) == truth.shape and (exact or not base):
        yield truth.tensor


def _is_backward(truth: Truth, tensors: frozenset[str]) -> bool:
    """Whether it belongs to the backward pass: by its name, or else by when it was computed."""
    known = {t for group in (FORWARD_GROUPS, BACKWARD_GROUPS) for ts in group.values() for t in ts}
    named = [t for t in tensors if t in known]
    if named:
        return any(t in ts for t in named for ts in BACKWARD_GROUPS.values())
    return bool(truth.values) and all(v.phase == "backward" for v in truth.values)


# ── the checks ───────────────────────────────────────────────────────────────


def _outcome(view: View, groups: Mapping[str, tuple[str, ...]], enough: int) -> Conclusion:
    backward = groups is BACKWARD_GROUPS
    part = "backward" if backward else "forward"
    every = view.once("stated", lambda: judge_statements(view))
    mine = [j for j in every if j.backward is backward]
    wrong = [j for j in mine if j.verdict is Correctness.WRONG]
    several = len({j.file for j in mine}) > 1
    lines = [_line(j, several=several) for j in (*wrong, *(j for j in mine if j not in wrong))]
    if wrong:
        first = lines[0]
        return failed(f"{first.what}: {first.observed}; it is {first.expected}.", *lines)
    stated = {t for j in mine for t in j.tensors}
    named = [name for name, tensors in groups.items() if stated & set(tensors)]
    listed = ", ".join(named)
    if not view.step(f"{part}/{CASE}").ok:
        text = f"Open: {part} does not run, so a human marks what its source states."
        return left_open(text, *lines)
    if len(named) >= enough:
        return passed(f"The source states the shapes of {listed}, and they are right.", *lines)
    so_far = f"states only the shapes of {listed}" if named else "states none of these shapes"
    text = f"Open: the source {so_far}. A human marks what was said."
    return left_open(text, *lines)


def _line(judged: Assessment, *, several: bool) -> Evidence:
    place = f"{judged.file}, line" if several else "line"
    name = judged.name or "the value"
    shape = f"[{', '.join(judged.statement.shape)}]" if judged.statement.shape else "a scalar"
    right = judged.verdict is Correctness.RIGHT
    verdict = CheckStatus.of(right)
    what = f"{place} {judged.statement.line}: {name}"
    return Evidence(what, written(judged.truth), f"stated {shape}", verdict=verdict)


@check(
    "explanations.forward_shapes",
    "The source states the shapes of the forward pass",
    hint="Write the shape at the line: `Z1 = X @ W1 + b1  # [B, H]`, with the problem's letters.",
    serves="Part 1: the exact shapes of Z1, H1, Z2 and the scalar loss.",
)
def forward_shapes(view: View) -> Conclusion:
    """Shapes of Z1, H1, Z2 and the loss that the source states are right, and three are stated.

    Comments, docstrings, asserts and annotations count, with any letters that are used
    consistently. With fewer, and none wrong, the check is open: they may have been said.
    """
    return _outcome(view, FORWARD_GROUPS, FORWARD_ENOUGH)


@check(
    "explanations.backward_shapes",
    "The source states the shapes of the backward pass",
    hint="Write the shape at the line: `dW1 = X.T @ dZ1  # [D, H]`, with the problem's letters.",
    serves="Part 2: the exact shapes of dZ2, dZ1 and all five gradients.",
)
def backward_shapes(view: View) -> Conclusion:
    """Shapes of dZ2, dZ1 and the gradients that the source states are right; four are stated.

    Comments, docstrings, asserts and annotations count, with any letters that are used
    consistently. With fewer, and none wrong, the check is open: they may have been said.
    """
    return _outcome(view, BACKWARD_GROUPS, BACKWARD_ENOUGH)


EXPLANATIONS = (forward_shapes, backward_shapes)
