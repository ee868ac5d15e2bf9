"""The layout of the network's drawing: the box of each tensor, and the arrows.

Two drawings of one graph, since a page may be wide or narrow: the layers of the level one
run to the right, those of the upright one down; across them stand parameters, forward,
backward and the parameters' gradients.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.diagnosis.tensors import NUMPY, TORCH
from grader.records import GraphNode, Standing

Point = tuple[float, float]
Spot = tuple[int, int, int]
"""Layer, which of two neighbours (-1, 1, or 0 for none), and lane."""

SPOTS: Mapping[str, Mapping[str, Spot]] = {
    "numpy": {
        **{"X": (0, 0, 1), "W1": (1, -1, 0), "b1": (1, 1, 0), "Z1": (1, 0, 1), "H1": (2, 0, 1)},
        **{"W2": (3, -1, 0), "b2": (3, 1, 0), "Z2": (3, 0, 1), "P": (4, 0, 1), "loss": (5, 0, 1)},
        **{"dX": (0, 0, 2), "dZ1": (1, 0, 2), "dH1": (2, 0, 2), "dZ2": (3, 0, 2)},
        **{"dW1": (1, -1, 3), "db1": (1, 1, 3), "dW2": (3, -1, 3), "db2": (3, 1, 3)},
    },
    "torch": {
        **{"X": (0, 0, 1), "W1": (1, -1, 0), "b1": (1, 1, 0), "Z1": (1, 0, 1), "H1": (2, 0, 1)},
        **{"W2": (3, -1, 0), "b2": (3, 1, 0), "Z2": (3, 0, 1), "loss": (4, 0, 1)},
        **{"dX": (0, 0, 2), "dW1": (1, -1, 2), "db1": (1, 1, 2), "dW2": (3, -1, 2)},
        "db2": (3, 1, 2),
    },
}
PARENTS = {"numpy": NUMPY, "torch": TORCH}

ALONG_EDGES = {
    **{("Z1", "H1"): "ReLU", ("Z2", "P"): "softmax", ("P", "loss"): "−log"},
    ("Z1", "dZ1"): "mask",
}
CAPTIONS = {
    "numpy": (("forward", 0, 0.0), ("backward", 0, 3.0)),
    "torch": (("forward", 0, 0.0), ("autograd", 4, 2.0)),
}
BUS = 1.5
"""The lane in which autograd's one arrow runs past all gradients."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The measures of one drawing, in its own units; `down` when the layers run downwards."""

    name: str
    down: bool
    layer: float
    lane: float
    aside: float
    big: tuple[float, float]
    small: tuple[float, float]

    def point(self, along: float, across: float) -> Point:
        """Return a point in x and y from one along the layers and across them."""
        return (across, along) if self.down else (along, across)

    def measures(self, x: float, y: float) -> tuple[float, float]:
        """Return two measures in x and y as measures along the layers and across them."""
        return (y, x) if self.down else (x, y)

    def centre(self, spot: tuple[float, float, float]) -> Point:
        """Return the middle of a spot's box."""
        layer, aside, lane = spot
        along = self.measures(*self.big)[0] / 2 + 9 + layer * self.layer + aside * self.aside
        across = self.measures(*self.small)[1] / 2 + 9 + lane * self.lane
        return self.point(along, across)


LEVEL = Plan("level", False, 158.0, 94.0, 40.0, (98.0, 48.0), (72.0, 46.0))
UPRIGHT = Plan("upright", True, 98.0, 97.0, 23.5, (74.0, 50.0), (70.0, 42.0))


@dataclass(frozen=True, slots=True)
class Box:
    """A tensor's box by its middle; `causes` are the numbers of the defects it suffers from."""

    node: GraphNode
    x: float
    y: float
    width: float
    height: float
    causes: str

    @property
    def shape(self) -> str:
        return self.node.shape.removeprefix("a ")

    @property
    def classes(self) -> str:
        """Return the CSS classes: the status, and how it is known."""
        known = "" if self.node.measured or self.node.status is Standing.GIVEN else " hearsay"
        return f"{self.node.status.value}{known}"


@dataclass(frozen=True, slots=True)
class Arrow:
    """A line and its head ("" for none); `kept` is a value that the backward pass looks up."""

    line: str
    head: str
    kept: bool
    spoilt: bool


@dataclass(frozen=True, slots=True)
class Caption:
    """A few words in the drawing; `anchor` is SVG's."""

    x: float
    y: float
    anchor: str
    text: str
    big: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """One SVG."""

    id: str
    layout: str
    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    captions: tuple[Caption, ...]


def drawing(
    part: str, nodes: Mapping[str, GraphNode], plan: Plan, numbers: Mapping[str, int]
) -> Drawing:
    """Return one part's nodes, all of `SPOTS[part]`, laid out; `numbers` are the defects'."""
    boxes = {name: _box(nodes[name], spot, plan, numbers) for name, spot in SPOTS[part].items()}
    lanes, layers = max(s[2] for s in SPOTS[part].values()), max(s[0] for s in SPOTS[part].values())
    last = plan.centre((layers, 0, lanes))
    width, height = plan.point(plan.measures(*plan.big)[0], plan.measures(*plan.small)[1])
    edges = [(parent, child) for child, above in PARENTS[part].items() for parent in above]
    arrows = [_arrow(boxes[a], boxes[b]) for a, b in edges if (a, b) not in _bent(part)]
    arrows += _bus(boxes, plan) if part == "torch" else [_around(boxes, plan)]
    captions = [_along(boxes[a], boxes[b], text) for (a, b), text in _named(part, plan)]
    for text, layer, lane in CAPTIONS[part]:
        x, y = plan.centre((layer, 0, lane))
        captions.append(Caption(x, y + 4, "middle", _pointing(text, plan), big=True))
    return Drawing(
        f"graph-{part}-{plan.name}",
        plan.name,
        round(last[0] + width / 2 + 9),
        round(last[1] + height / 2 + 9 + (0 if plan.down else 12)),
        tuple(boxes.values()),
        tuple(arrows),
        tuple(captions),
    )


def _bent(part: str) -> tuple[tuple[str, str], ...]:
    """Return the edges that are no straight line."""
    if part == "numpy":
        return (("loss", "dZ2"),)
    return tuple((a, b) for b, above in TORCH.items() for a in above if a == "loss")


def _named(part: str, plan: Plan) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the labelled edges where there is room: lanes are too close in the upright one."""
    for (a, b), text in ALONG_EDGES.items():
        if a in SPOTS[part] and b in SPOTS[part] and not (plan.down and text == "mask"):
            yield (a, b), text


def _pointing(text: str, plan: Plan) -> str:
    """Return a pass's name with the direction in which it runs."""
    if text == "forward":
        return "forward ↓" if plan.down else "forward →"
    return f"{text} ↑" if plan.down else f"← {text}"


def _box(node: GraphNode, spot: Spot, plan: Plan, numbers: Mapping[str, int]) -> Box:
    x, y = plan.centre(spot)
    width, height = plan.small if spot[1] else plan.big
    codes = node.because or (("",) if node.status is Standing.WRONG else ())
    causes = " ".join(str(numbers[code]) for code in codes[:3])
    return Box(node, x, y, width, height, causes)


def _arrow(a: Box, b: Box) -> Arrow:
    """Return a straight line from border to border."""
    kept = b.node.name.startswith("d") and not a.node.name.startswith("d")
    start, end = _border(a, b, 2.0), _border(b, a, 3.0 if kept else 8.0)
    return _pointed((start, end), kept=kept, spoilt=_spoilt(a, b))


def _around(boxes: Mapping[str, Box], plan: Plan) -> Arrow:
    """Return the arrow from the loss round the corner into dZ2, where the backward pass begins."""
    a, b = boxes["loss"], boxes["dZ2"]
    (along, across), (b_along, b_across) = plan.measures(a.x, a.y), plan.measures(b.x, b.y)
    start = plan.point(along, across + plan.measures(a.width, a.height)[1] / 2 + 2)
    end = plan.point(b_along + plan.measures(b.width, b.height)[0] / 2 + 8, b_across)
    return _pointed((start, plan.point(along, b_across), end), spoilt=_spoilt(a, b))


def _bus(boxes: Mapping[str, Box], plan: Plan) -> Iterator[Arrow]:
    """Yield one line from the loss past all gradients, with an arrow into each."""
    loss, lane = boxes["loss"], plan.measures(*plan.centre((0, 0, BUS)))[1]
    gradients = [box for name, box in boxes.items() if name.startswith("d")]
    along, across = plan.measures(loss.x, loss.y)
    start = plan.point(along, across + plan.measures(loss.width, loss.height)[1] / 2 + 2)
    first = plan.measures(boxes["dX"].x, boxes["dX"].y)[0]
    spoilt = any(_spoilt(loss, box) for box in gradients)
    line = (start, plan.point(along, lane), plan.point(first, lane))
    yield Arrow(_path(line), "", False, spoilt)
    for box in gradients:
        along, across = plan.measures(box.x, box.y)
        tip = plan.point(along, across - plan.measures(box.width, box.height)[1] / 2 - 8)
        yield _pointed((plan.point(along, lane), tip), spoilt=_spoilt(loss, box))


def _pointed(points: Sequence[Point], *, kept: bool = False, spoilt: bool = False) -> Arrow:
    (x0, y0), (x1, y1) = points[-2], points[-1]
    length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-6)
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    tip = (x1 + 6 * dx, y1 + 6 * dy)
    sides = [(x1 - 4 * s * dy - dx, y1 + 4 * s * dx - dy) for s in (1, -1)]
    head = "" if kept else _path((sides[0], tip, sides[1])) + "Z"
    return Arrow(_path(points), head, kept, spoilt)


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}".replace(".0", "") for x, y in points)


def _border(box: Box, towards: Box, gap: float) -> Point:
    """Return where the line between two middles leaves a box, `gap` further on."""
    dx, dy = towards.x - box.x, towards.y - box.y
    across = abs(dx) / (box.width / 2), abs(dy) / (box.height / 2)
    scale = 1 / max(*across, 1e-6)
    length = max((dx**2 + dy**2) ** 0.5, 1e-6)
    return box.x + dx * scale + gap * dx / length, box.y + dy * scale + gap * dy / length


def _spoilt(a: Box, b: Box) -> bool:
    """Return whether an error passes along: what `b` suffers from, `a` has too."""
    bad = (Standing.WRONG, Standing.FOLLOWS)
    shared = set(a.node.because) & set(b.node.because)
    return a.node.status in bad and b.node.status is Standing.FOLLOWS and bool(shared)


def _along(a: Box, b: Box, text: str) -> Caption:
    """Return a word at the middle of an arrow: above a level one, right of an upright one."""
    x, y = (a.x + b.x) / 2, (a.y + b.y) / 2
    if abs(a.x - b.x) < 1:
        return Caption(x + 7, y + 4, "start", text)
    return Caption(x, y - 7, "middle", text)
