"""The network's graph as the report shows it: drawings, and beside them the same in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from grader.checks.tensors import COMPARED
from grader.records import GraphNode, Result, Standing
from grader.report.drawing import LEVEL, SPOTS, UPRIGHT, Drawing, drawing
from grader.report.listing import line_href, line_prefixes

TITLES = {"numpy": "By hand, in NumPy", "torch": "By autograd, in PyTorch"}

WORDS = {
    Standing.RIGHT: "right",
    Standing.WRONG: "wrong here",
    Standing.FOLLOWS: "wrong only because of what comes before",
    Standing.UNSEEN: "not seen",
    Standing.GIVEN: "given",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """One defect in the drawing: where it stands and what follows. `code` is "" if unknown."""

    number: int
    code: str
    href: str
    lines: tuple[tuple[str, str], ...]
    wrong: tuple[str, ...]
    follow: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One part of the submission, as drawings and as words."""

    part: str
    title: str
    summary: str
    drawings: tuple[Drawing, ...]
    causes: tuple[Cause, ...]
    rows: tuple[tuple[str, str], ...]


def panels(result: Result, anchors: Mapping[str, str]) -> tuple[Panel, ...]:
    """Return a drawing for each part that was observed; `anchors` are the defects' by code."""
    prefixes = line_prefixes(result.submission)
    numbers: dict[str, int] = {}
    for node in result.graph:
        for code in node.because or (("",) if node.status is Standing.WRONG else ()):
            numbers.setdefault(code, len(numbers) + 1)
    drawn = []
    for part in ("numpy", "torch"):
        nodes = {n.name: n for n in result.graph if n.part == part}
        if not set(SPOTS[part]) <= nodes.keys():
            continue
        causes = tuple(_causes(nodes.values(), numbers, anchors, prefixes))
        drawings = tuple(drawing(part, nodes, plan, numbers) for plan in (LEVEL, UPRIGHT))
        rows = tuple((n.name, _describe(n)) for n in nodes.values())
        drawn.append(Panel(part, TITLES[part], _summary(nodes), drawings, causes, rows))
    return tuple(drawn)


# ── in words ─────────────────────────────────────────────────────────────────


def _summary(nodes: Mapping[str, GraphNode]) -> str:
    """Return how many of the loss and the five gradients are right."""
    compared = [nodes[name] for name in COMPARED["torch"] if nodes[name].measured]
    right = sum(n.status is Standing.RIGHT for n in compared)
    if not compared:
        return "The judge had nothing to compare; the rest is read off the run's trace."
    if right == len(compared):
        return f"All {right} tensors that the judge compared are right."
    return f"{right} of the {len(compared)} tensors that the judge compared are right."


def _describe(node: GraphNode) -> str:
    because = f": {', '.join(node.because)}" if node.because else ""
    note = f", {node.note}" if node.note else ""
    known = "compared by the judge" if node.measured else "as the run's trace shows it"
    if node.status in (Standing.UNSEEN, Standing.GIVEN):
        return f"{node.shape}, {WORDS[node.status]}"
    return f"{node.shape}, {WORDS[node.status]}{because}{note} ({known})"


def _causes(
    nodes: Iterable[GraphNode],
    numbers: Mapping[str, int],
    anchors: Mapping[str, str],
    prefixes: Mapping[str, str],
) -> Iterator[Cause]:
    """Yield the numbered list below a drawing."""
    wrong_nodes = [n for n in nodes if n.status in (Standing.WRONG, Standing.FOLLOWS)]
    for code, number in numbers.items():
        here = [n for n in wrong_nodes if code in (n.because or ("",))]
        wrong = [n for n in here if n.status is Standing.WRONG]
        if not here:
            continue
        lines = {f"line {n.line}": line_href(prefixes, n.file, n.line) for n in wrong if n.line}
        yield Cause(
            number,
            code,
            f"#{anchors[code]}" if code in anchors else "",
            tuple(lines.items()),
            tuple(f"{n.name} {n.note}".strip() for n in wrong),
            tuple(f"{n.name} {n.note}".strip() for n in here if n.status is Standing.FOLLOWS),
        )
