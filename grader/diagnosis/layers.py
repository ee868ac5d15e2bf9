"""Defects of the reusable layers: each mistake that shows there, with its line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from grader.checks.layers import label_of
from grader.defects import BY_CODE
from grader.defects.clues import Clues
from grader.defects.make import at, in_layers, make
from grader.defects.signs.layers import Slip, layer_slips
from grader.defects.sites.layers import Layer, layer_spot, layers_of
from grader.records import Defect, Part, Severity
from grader.source.program import Program, Spot


def layer_defects(clues: Clues, others: Sequence[Defect]) -> list[tuple[Defect, tuple[str, ...]]]:
    """Return the defects of the layers, each with the checks that it makes fail.

    `others` are known already. Where the graded network is made of the same layers, a bug of
    theirs has been named with its line there, and is not named again.
    """
    layers = layers_of(clues.view)
    if not layers:
        return []
    found: list[tuple[Defect, tuple[str, ...]]] = []
    for slip in layer_slips(clues.view, clues.findings):
        layer = layers.get(slip.kind) or _sharing(slip, clues.program, layers)
        if not _is_known(clues.program, layer, others):
            found.append((_defect(slip, layer, clues.program), slip.checks or (slip.check,)))
    return found


def _sharing(slip: Slip, program: Program, layers: Mapping[str, Layer]) -> Layer:
    """The layer that keeps something for all of its class, as far as its source shows it."""
    site = BY_CODE[slip.code].in_layer
    shown = [layer for layer in layers.values() if layer_spot(program, layer, site, "")]
    return shown[0] if shown else Layer("The layers", "", "")


def _is_known(program: Program, layer: Layer, others: Iterable[Defect]) -> bool:
    """Whether a bug has been named inside this very layer."""
    spans = [
        (f.file, f.node.lineno, f.node.end_lineno or 0)
        for f in program.functions
        if f.owner == layer.name and (layer.name or f.name in (layer.forward, layer.backward))
    ]
    majors = [d for d in others if d.line is not None and d.severity is not Severity.INFO]
    return any(f == d.file and a <= (d.line or 0) <= b for d in majors for f, a, b in spans)


def _defect(slip: Slip, layer: Layer, program: Program) -> Defect:
    """A slip as a defect. The layers are an extra, so none is more than minor."""
    what = slip.words or BY_CODE[slip.code].what
    arrays = ", ".join(label_of(name) for name in slip.arrays)
    first = slip.arrays[0] if slip.arrays else ""
    forward = first in ("out", "loss")
    method = layer.forward if forward else layer.backward
    place = f"{layer.name}.{method}" if layer.name else method
    place = layer.name or place if not slip.arrays else place
    if slip.frames:
        spot: Spot | None = Spot(slip.frames[-1].file, slip.frames[-1].line, slip.frames[-1].line)
    else:
        what = f"{what[0].lower()}{what[1:]}"
        spot = layer_spot(program, layer, BY_CODE[slip.code].in_layer, first)
    text = f"{place}{f' ({arrays})' if arrays else ''}: {what}"
    part = Part.FORWARD if forward else Part.BACKWARD
    defect = make(slip.code, text, confidence=slip.confidence, part=part)
    return at(in_layers(defect), spot, program.lines)
