"""Where the data that travels with the package is: rubrics, the reference, the starter.

In a checkout the rubrics and the reference stand at the top level, where people
look for them; in an installed wheel they lie in `grader/_bundled`.
"""

from __future__ import annotations

from pathlib import Path

from grader.errors import HarnessError

PACKAGE = Path(__file__).parent


def bundled(name: str) -> Path:
    """Return the path of `rubrics/…` or `reference/…`. Raises `HarnessError` if it is missing."""
    for root in (PACKAGE / "_bundled", PACKAGE.parent):
        if (root / name).exists():
            return root / name
    raise HarnessError(f"the installation is incomplete: {name} is missing; install again")
