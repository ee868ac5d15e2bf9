"""Validates what a child reports: JSON, against the types and limits of `child.reports`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from grader.records import Frame
from grader.sandbox.child import MAX_FRAMES

MAX_LINE = 9_999_999

Report = TypeVar("Report")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def read_frames(items: Mapping[str, Any]) -> tuple[Frame, ...]:
    """Return the traceback's lines in a reply; none where they are not well-formed."""
    frames: tuple[Frame, ...] = read_json(items.get("frames"), tuple[Frame, ...]) or ()
    return tuple(f for f in frames[-MAX_FRAMES:] if 0 <= f.line <= MAX_LINE)


def read_report(items: Mapping[str, Any], kind: type[Report]) -> Report | None:
    """Return the report in a reply; None where there is none, or it is not of that type."""
    report: Report | None = read_json(items.get("report"), kind)
    return report


def read_json(text: object, kind: Any) -> Any:
    """Return what JSON holds, as an object of a type; None where it is no such object."""
    if not isinstance(text, str):
        return None
    try:
        return _adapter(kind).validate_json(text, strict=True)
    except ValidationError:
        return None
