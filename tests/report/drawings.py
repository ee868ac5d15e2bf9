"""The drawings of a result, by part."""

from __future__ import annotations

from grader.report.drawing import Box, Drawing

ANCHORS = {"batch-mean-missing": "defect-batch-mean-missing"}


def boxes(drawing: Drawing) -> dict[str, Box]:
    return {box.node.name: box for box in drawing.boxes}
