"""Fields of what a child reports, with their limits (child's side)."""

from __future__ import annotations

from dataclasses import field
from typing import Any

TEXT_CHARS = 2000
"""Characters of a text that quotes the candidate."""

NAME_CHARS = 200
"""Characters of a name that the candidate chose."""


def limited(default: Any, length: int = TEXT_CHARS) -> Any:
    """Return a dataclass field with a default and a limit on its length."""
    return field(default=default, metadata={"max_length": length})


def limited_map(length: int) -> Any:
    """Return a dataclass field for a mapping with a limit on its entries."""
    return field(default_factory=dict, metadata={"max_length": length})
