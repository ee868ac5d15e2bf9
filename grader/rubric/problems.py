"""Problems of a rubric file: collected while reading, raised together, each with its line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from grader.errors import RubricError
from grader.yaml_data import LONGEST_QUOTE, Problem

MOST_SHOWN = 100
"""Problems shown at once. A file with more is no rubric; a person corrects the first ones."""


def refusal(name: str, problems: Iterable[Problem]) -> RubricError:
    """Return all problems of the file `name` as one error, in the order of the lines."""
    ordered = sorted(set(problems))
    shown = [f"{name}:{p.line}: {p.text}" for p in ordered[:MOST_SHOWN]]
    if more := len(ordered) - len(shown):
        line = ordered[MOST_SHOWN].line
        shown.append(f"{name}:{line}: {more} more problems from here on; mend those above first")
    return RubricError(shown)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return the closest of `known`, or "" when nothing is near; a long word is never a slip."""
    if len(word) > LONGEST_QUOTE:
        return ""
    return next(iter(get_close_matches(word, known, n=1, cutoff=0.7)), "")
