"""A defect takes severity, hint and part from its kind, and its source line from its file."""

from __future__ import annotations

from grader.defects import BY_CODE
from grader.defects.make import at, in_layers, kind_of, make
from grader.records import Part, Severity, Where
from grader.source.program import Spot

LINES = {"a.py": ("import numpy as np", "  dZ1 = dH1")}


def test_a_defect_takes_after_its_kind() -> None:
    kind, defect = BY_CODE["grad-sign"], make("grad-sign", "It is turned.")
    assert (defect.severity, defect.hint, defect.part) == (kind.severity, kind.hint, kind.part)
    assert kind_of(defect) is kind
    assert make("grad-sign", "", part=Part.PYTORCH).part is Part.PYTORCH


def test_a_place_brings_its_source() -> None:
    defect = make("grad-sign", "")
    there = at(defect, Spot("a.py", 2, 2), LINES)
    assert (there.file, there.line, there.source) == ("a.py", 2, "dZ1 = dH1")
    assert at(defect, Spot("a.py", 9, 9), LINES).source is None
    assert at(defect, None, LINES) is defect


def test_no_defect_of_a_layer_is_more_than_minor() -> None:
    defect = in_layers(make("grad-sign", ""))
    assert (defect.severity, defect.where) == (Severity.MINOR, Where.LAYERS)
    assert in_layers(make("relu-zero-convention", "")).severity is Severity.INFO
