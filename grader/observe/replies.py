"""Validates what a child reports: JSON, against the types and limits of `child.reports`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

Report = TypeVar("Report")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def read_report(items: Mapping[str, Any], kind: type[Report]) -> Report | None:
    """Return the report in a reply; None where there is none, or it is not of that type."""
    text = items.get("report")
    if not isinstance(text, str):
        return None
    try:
        report: Report = _adapter(kind).validate_json(  # type: ignore[arg-type]
            text, strict=True
        )
    except ValidationError:
        return None
    return report
