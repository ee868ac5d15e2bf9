"""The tables of `submissions/README.md`, made from the `expected.yaml` files.

    python -m tests.sample_tables

writes them anew; a test says when that was forgotten.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from grader.checks import ALL_CHECKS

SAMPLES = Path(__file__).parents[1] / "submissions"
README = SAMPLES / "README.md"
FIRST_TABLE = "## The submissions\n"


def expectations() -> dict[str, dict[str, Any]]:
    """Folder → its `expected.yaml`, in alphabetical order."""
    files = sorted(SAMPLES.glob("*/expected.yaml"))
    return {file.parent.name: yaml.safe_load(file.read_text("utf-8")) for file in files}


def wrong_in_layers(one: dict[str, Any]) -> bool:
    """Whether an expectation has all its failures in the reusable layers."""
    return bool(one["fails"]) and all(check.startswith("layers.") for check in one["fails"])


def tables(expected: dict[str, dict[str, Any]]) -> str:
    """What each sample is, and by whom each check is failed, in the order of the checks."""
    lines = [FIRST_TABLE, "| folder | what |", "|---|---|"]
    lines += [f"| `{name}` | {one['what']} |" for name, one in expected.items()]
    lines += ["", "## Which check is failed by whom", "", "| check | failed by |", "|---|---|"]
    for check in ALL_CHECKS:
        names = [name for name, one in expected.items() if check.id in one["fails"]]
        if names:
            lines.append(f"| `{check.id}` | {', '.join(names)} |")
    return "\n".join(lines) + "\n"


def readme(text: str, expected: dict[str, dict[str, Any]]) -> str:
    """`text` with its tables made anew, and its first sentence's numbers."""
    head = text[: text.index(FIRST_TABLE)]
    title, _, rest = head.split("\n\n", 2)
    right = sum(not one["fails"] and "corrected" not in one for one in expected.values())
    intro = (
        f"{len(expected)} answers as candidates write them: {right} that lose nothing, in different\n"
        f"styles, and {len(expected) - right} with known bugs. Each folder has a `solution.py`, some "
        "an `answers.md`, and\nan `expected.yaml`:"
    )
    return f"{title}\n\n{intro}\n\n{rest}{tables(expected)}"


if __name__ == "__main__":
    README.write_text(readme(README.read_text("utf-8"), expectations()), encoding="utf-8")
