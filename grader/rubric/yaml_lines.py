"""A rubric's YAML as data, with the line of everything: `load_yaml(bytes, name) -> (plain, lines)`.

`grader.yaml_data` reads; here are a rubric's limits, and what cannot be read becomes
one `RubricError` with every problem.
"""

from __future__ import annotations

from grader import yaml_data
from grader.rubric.problems import refusal
from grader.yaml_data import Lines, Path, Plain, Reading, Step

MOST_BYTES = 256 * 1024
"""Our longest rubric has 16 kB; PyYAML reads about 100 kB a second."""
MOST_DEPTH = 16
"""A rubric is 8 levels deep; PyYAML composes recursively."""
MOST_NODES = 5000
"""Our longest rubric has 730 nodes, keys included."""

CAPS = yaml_data.Caps(
    MOST_BYTES, MOST_DEPTH, MOST_NODES, "a rubric needs 8", "a rubric needs a few hundred"
)

__all__ = ["MOST_BYTES", "Lines", "Path", "Plain", "Reading", "Step", "load_yaml", "read_yaml"]


def load_yaml(data: bytes, name: str) -> tuple[Plain, Lines]:
    """The data in `data` and its lines; `name` is the file's name in the messages.

    Raises RubricError with all problems, and nothing else whatever the bytes.
    """
    reading = read_yaml(data, name)
    if reading.problems:
        raise refusal(name, reading.problems)
    return reading.plain, reading.lines


def read_yaml(data: bytes, name: str) -> Reading:
    """Like `load_yaml`, but hands back the problems after which reading could go on."""
    try:
        return yaml_data.read_yaml(data, CAPS)
    except yaml_data.Unreadable as error:
        raise refusal(name, error.problems) from None
