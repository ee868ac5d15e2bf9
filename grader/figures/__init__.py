"""What looking shows faster than reading, as data: error maps and curves.

Everything here is the judge's own comparison of what came back with what autograd gives;
nothing is a verdict. The report draws it.
"""

from __future__ import annotations

from grader.checks.view import View
from grader.figures.curves import growth, ratios, steps
from grader.figures.maps import error_maps
from grader.records import Pictures

__all__ = ["pictures"]


def pictures(view: View) -> Pictures:
    """Return all pictures of one submission; empty where nothing came that could be drawn.

    Raises `HarnessError` when an observation is missing by our fault.
    """
    return Pictures(error_maps(view), ratios(view), growth(view), steps(view))
