"""A trace → what stands beside each line of the source: the tensor it computes, and its shape.

A value that is no known tensor is called wrong only in a part whose numbers are wrong:
where it is what the faults found predict, it bears their codes; where nothing predicts
it, the first expression of right inputs and a wrong value is where it goes wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from grader.checks.view import View, symbols
from grader.defects import BY_CODE
from grader.defects.explanation import Account
from grader.defects.facts import first_wrong
from grader.diagnosis.diagnose import Diagnosis
from grader.diagnosis.passes import gradients_of
from grader.diagnosis.predictions import Predictions
from grader.diagnosis.tensors import SHAPES
from grader.observe.naming import CLOSE, Namer, tensors_of
from grader.observe.reading import NamedTrace, Reading
from grader.observe.trace import TracedValue
from grader.records import Annotation, Array, Case, Defect, GraphNode, Standing

MAX_ANNOTATIONS = 600
"""In all; a page has to stay openable, whatever a child says it evaluated."""

MAX_PER_LINE = 3

LOADS = ("name", "attribute", "subscript")
ALIAS = re.compile(r"^\s*[\w.]+\s*=\s*[\w.]+\s*(#.*)?$")
"""`dZ1 = dH1`: it computes nothing, but what it gives a second name is worth knowing."""

STEPS = ("Z1", "H1", "Z2", "P", "loss", "dZ2", "dH1", "dZ1", "dW1", "db1", "dW2", "db2", "dX")
MASKS = ("mask", "not mask")
OPERANDS = ("Z1", "H1", "dH1", "dZ1")

BELONGS = {
    **{"X @ W1": "Z1", "mask": "H1", "not mask": "H1", "H1 @ W2": "Z2"},
    **dict.fromkeys(("row max", "Z2 - max", "exp(Z2 - max)", "sums", "log(sums)"), "P"),
    **dict.fromkeys(("logsumexp", "exp(Z2)", "sums of exp(Z2)", "logP", "1 - P"), "P"),
    **dict.fromkeys(("p_true", "losses", "Z2 true", "Z2 - max, true", "onehot * logP"), "loss"),
    **dict.fromkeys(("onehot * P", "P - onehot", "dP", "P * (1 - P)"), "dZ2"),
    **dict.fromkeys(("dH1 > 0", "dH1 <= 0"), "dZ1"),
}
"""The step that an intermediate tensor is part of."""


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A value that should be another: the tensor that the faults make of it, and their codes.

    `here` where it does not matter on which line the codes stand.
    """

    tensor: str
    because: tuple[str, ...]
    here: bool = False


@dataclass(frozen=True)
class _Verdicts:
    """The wrong values of one part by key, and the places at which each code stands."""

    wrong: Mapping[bytes, _Wrong] = field(default_factory=dict)
    places: Mapping[str, tuple[tuple[str, int, int], ...]] = field(default_factory=dict)

    def stands_at(self, at: TracedValue, codes: Iterable[str]) -> bool:
        """Return whether one of the codes stands on the lines of an expression."""
        return any(
            file == at.file and first <= at.end_line and at.line <= last
            for code in codes
            for file, first, last in self.places.get(code, ())
        )


def annotated(
    view: View,
    diagnosis: Diagnosis,
    predictions: Predictions,
    traces: Mapping[str, NamedTrace],
    graph: Sequence[GraphNode],
) -> tuple[Annotation, ...]:
    """Return what the traced expressions were, by file, line and column; empty without a trace."""
    found: list[Annotation] = []
    for part, explained in zip(("numpy", "torch"), diagnosis.accounts, strict=True):
        named = traces.get(part)
        if named is None or not named.readings:
            continue
        nodes = {n.name: n for n in graph if n.part == part}
        verdicts = _verdicts(named, view, explained, predictions, diagnosis.defects, nodes)
        found += _chosen(named, verdicts)
    found.sort(key=lambda a: (a.file, a.line))
    return tuple(found[:MAX_ANNOTATIONS])


# ── which values are wrong ───────────────────────────────────────────────────


def _verdicts(
    named: NamedTrace,
    view: View,
    part: Account | None,
    predictions: Predictions,
    defects: Sequence[Defect],
    nodes: Mapping[str, GraphNode],
) -> _Verdicts:
    codes = tuple(dict.fromkeys(c for n in nodes.values() for c in n.because))
    if not codes:
        return _Verdicts()
    places: dict[str, tuple[tuple[str, int, int], ...]] = {}
    for d in defects:
        if d.code in codes and d.file is not None and d.line is not None:
            place = (d.file, d.line, d.end_line or d.line)
            places[d.code] = (*places.get(d.code, ()), place)
    wrong = _misshapen(named, nodes)
    wrong |= _predicted(named, view.exam.paper.cases["primes"], part, predictions, nodes, codes)
    unexplained = tuple(c for c in codes if BY_CODE[c].unexplained)
    first = first_wrong(named) if unexplained else None
    if first is not None:
        keys = {r.key: _Wrong("", unexplained) for r in named.readings if r.at is first}
        wrong = keys | wrong
        places = dict.fromkeys(unexplained, ((first.file, first.line, first.end_line),)) | places
    _spread(named, wrong)
    return _Verdicts(wrong, _first_places(named, wrong, places, codes))


def _misshapen(named: NamedTrace, nodes: Mapping[str, GraphNode]) -> dict[bytes, _Wrong]:
    """Right numbers in the shape in which the judge found them wrong: transposed, one axis more."""
    wrong = dict[bytes, _Wrong]()
    for reading in named.readings:
        node = nodes.get(reading.base)
        if node is None or not node.measured or node.status is Standing.RIGHT or not node.because:
            continue
        shape = symbols(reading.value.shape, named.sizes)
        if shape == node.shape and shape != SHAPES[node.name]:
            here = node.status is Standing.WRONG
            wrong[reading.key] = _Wrong(str(reading.name), node.because, here)
    return wrong


def _predicted(
    named: NamedTrace,
    case: Case,
    part: Account | None,
    predictions: Predictions,
    nodes: Mapping[str, GraphNode],
    codes: tuple[str, ...],
) -> dict[bytes, _Wrong]:
    """Values that are no tensor as it should be, but one as the faults found make it."""
    faulty = _faulty_tensors(part, predictions, case)
    bent = {n: a for n, a in faulty.items() if not _alike(a, named.known.get(n))}
    if not bent:
        return {}
    namer, wrong = Namer(bent, named.sizes), dict[bytes, _Wrong]()
    for reading in named.readings:
        if reading.name is not None and reading.name.exact:
            continue
        key = reading.key
        if key in wrong:
            continue
        name = namer(reading.value)
        if name is not None and name.exact:
            node = nodes.get(BELONGS.get(name.base, name.base))
            wrong[key] = _Wrong(str(name), node.because if node and node.because else codes)
    return wrong


def _faulty_tensors(
    part: Account | None, predictions: Predictions, case: Case
) -> Mapping[str, Array]:
    """The problem's tensors as a part's faults make them on a case; empty where they raise."""
    if part is None:
        return {}
    explanation = part.explanation
    flow = predictions.flow(tuple(f.fault for f in explanation.forward), case.name)
    if flow is None:
        return {}
    flow = dict(flow)
    try:
        gradients = gradients_of(flow, explanation.backward, explanation.free)
        values = {n: flow[n] for n in STEPS if n in flow}
        return tensors_of(case, values | {f"d{t}": g for t, g in gradients.items()})
    except (ValueError, IndexError, KeyError):  # a fault that does not fit these sizes
        return {}


def _alike(got: Array, want: Array | None) -> bool:
    if want is None or got.shape != want.shape:
        return False
    with np.errstate(all="ignore"):
        gap = np.abs(np.asarray(got, np.float64) - np.asarray(want, np.float64)).max(initial=0.0)
    return bool(gap <= CLOSE * max(1.0, float(np.abs(want).max(initial=0.0))))


def _spread(named: NamedTrace, wrong: dict[bytes, _Wrong]) -> None:
    """What is computed from a wrong value and is no tensor itself is wrong for the same reason."""
    if not wrong:
        return
    for reading in named.readings:
        if (reading.name is not None and reading.name.exact) or reading.value.dtype.kind in "iu":
            continue
        key = reading.key
        parts = [wrong[p.key] for p in reading.parts if p.key in wrong]
        if parts and key not in wrong:
            wrong[key] = _Wrong("", tuple(dict.fromkeys(c for p in parts for c in p.because)))


def _first_places(
    named: NamedTrace,
    wrong: Mapping[bytes, _Wrong],
    places: Mapping[str, tuple[tuple[str, int, int], ...]],
    codes: Sequence[str],
) -> dict[str, tuple[tuple[str, int, int], ...]]:
    """Where each code stands; one without a line stands where its first wrong value arises."""
    found = dict(places)
    for reading in named.readings:
        told = wrong.get(reading.key)
        if told is None or reading.at.kind in LOADS:
            continue
        for code in told.because:
            if code in codes and code not in found:
                found[code] = ((reading.at.file, reading.at.line, reading.at.end_line),)
    return found


# ── what stands beside a line ────────────────────────────────────────────────


def _chosen(named: NamedTrace, verdicts: _Verdicts) -> Iterator[Annotation]:
    """The outermost expressions of each line, and what they hold that nothing else shows."""
    inner = {id(p) for r in named.readings for p in r.parts}
    outer = [r for r in named.readings if id(r) not in inner and _computes(r, named)]
    shown = {r.base for r in outer if r.name is not None and r.name.exact}
    named_there = {id(r.at) for r in outer if r.name is not None}
    outer = [r for r in outer if r.name is not None or id(r.at) not in named_there]
    outer.sort(key=lambda r: (r.at.line, r.at.col, r.order))
    by_line: dict[tuple[str, int], dict[Annotation, Reading]] = {}
    for reading in outer:
        line = by_line.setdefault((reading.at.file, reading.at.line), {})
        line.setdefault(_annotation(reading, named, verdicts), reading)
    by_line = {place: _with_the_culprit(line, verdicts) for place, line in by_line.items()}
    for reading in _held(outer, shown):
        line = by_line.setdefault((reading.at.file, reading.at.line), {})
        line.setdefault(_annotation(reading, named, verdicts), reading)
    for line in by_line.values():
        yield from list(line)[:MAX_PER_LINE]


def _computes(reading: Reading, named: NamedTrace) -> bool:
    """Whether an outermost expression is more than a load, or is what a new name is given."""
    at, value = reading.at, reading.value
    if reading.name is None and (value.ndim == 0 or value.dtype.kind != "f"):
        return False
    if at.kind not in LOADS:
        return True
    if at.kind == "subscript" and value.ndim and any(p.value.ndim for p in reading.parts):
        return reading.base not in {p.base for p in reading.parts}  # `log_p[rows, y]` picks
    lines = named.trace.sources.get(at.file, ())
    return at.line <= len(lines) and ALIAS.fullmatch(lines[at.line - 1]) is not None


def _held(outer: Sequence[Reading], shown: set[str]) -> Iterator[Reading]:
    """Steps and masks inside larger expressions, where no expression of their own shows them."""
    for reading in outer:
        stack = list(reading.parts)
        while stack:
            part = stack.pop()
            stack += part.parts
            told = part.name is not None and part.name.exact and part.at.kind not in LOADS
            if told and part.base in (*STEPS, *MASKS) and part.base not in shown:
                shown = shown | ({part.base} - set(MASKS))
                yield part


def _annotation(reading: Reading, named: NamedTrace, verdicts: _Verdicts) -> Annotation:
    at, told = reading.at, verdicts.wrong.get(reading.key)
    tensor = _tensor(reading)
    right = Standing.RIGHT if tensor else Standing.UNSEEN
    because: tuple[str, ...] = ()
    if told is not None:
        tensor, because = tensor or told.tensor, told.because
        here = told.here or verdicts.stands_at(at, because)
        right = Standing.WRONG if here else Standing.FOLLOWS
    return Annotation(
        *(at.file, at.line, at.col, at.end_line, at.end_col, at.phase),
        tensor,
        symbols(reading.value.shape, named.sizes),
        right,
        because,
    )


def _tensor(reading: Reading) -> str:
    if reading.name is None:
        return ""
    base, operand = reading.base, next((p.base for p in reading.parts if p.base in OPERANDS), "")
    if base in MASKS and operand:
        base = f"{base}({operand})"
    elif " " in base and (reading.name.transposed or not reading.name.exact):
        base = f"({base})"
    return str(replace(reading.name, base=base))


def _with_the_culprit(
    line: Mapping[Annotation, Reading], verdicts: _Verdicts
) -> dict[Annotation, Reading]:
    """A line's annotations; where a defect stands and no value is wrong by itself, the last is.

    `dZ1 = dH1` has a right value under the wrong name.
    """
    if any(told.right in (Standing.WRONG, Standing.FOLLOWS) for told in line):
        return dict(line)
    last, reading = list(line.items())[-1]
    codes = tuple(c for c in verdicts.places if verdicts.stands_at(reading.at, (c,)))
    if not codes:
        return dict(line)
    culprit = replace(last, right=Standing.WRONG, because=codes)
    return {culprit if told is last else told: r for told, r in line.items()}
