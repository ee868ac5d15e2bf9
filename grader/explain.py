"""`grader explain`: the manual's text for a code, generated from the declarations."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Mapping
from types import MappingProxyType

from grader.checks import ALL_CHECKS, Check
from grader.defects import KINDS, Kind
from grader.errors import CallerError

UNJUDGED = """unjudged — There is no score: the answer could not be called, or not be read.

Shows      result.json has the status "unjudged", a score of null and a reason; the cohort's page
           lists it first, under Needs review.
Why        The answer holds code that computes, and no way to call the part by hand was found; or
           time or memory was used up before anything could be called; or no file can be read.
           What is called and then raises is judged. A starter that nobody filled in is incomplete,
           and scores zero. Where only the PyTorch part cannot be called, the rest is judged, and
           the points of that part stay open for a person.
Hint       The report names what computes, the call that went furthest and its error, and lines
           for submission.yaml. Or give the whole mark in `grader view --review`.
"""

TOPICS: Mapping[str, str] = MappingProxyType({"unjudged": UNJUDGED})
"""What is neither a check nor a defect, and stands in a report all the same."""

LABEL_WIDTH = 11
"""Columns in front of a fact: the longest label, `Waits for`, and a gap."""

CORRECTED = (
    "Where one smallest edit makes the answer run, it is graded with that edit,\n"
    "and the slip costs {cost:.0%} of what the edit wins. An edit changes brackets, colons,\n"
    "commas, quotes, indents, the spelling of a word, or Python 2's forms: no operator,\n"
    "no number. Where two edits run and give different results, none is made."
)


def explanation(code: str) -> str:
    """Return the text for a check's id or a defect's code; `all` lists them.

    Raises `CallerError` with the nearest names for an unknown one.
    """
    checks = {check.id: check for check in ALL_CHECKS}
    codes = {entry.code: entry for entry in KINDS}
    if code == "all":
        rows = [f"{c.id:<28} {c.title}" for c in ALL_CHECKS]
        defects = [f"{c.code:<28} {c.what}" for c in KINDS]
        return "\n".join(["Checks", *rows, "", "Defects", *defects, "", "Statuses", *TOPICS])
    if code in TOPICS:
        return TOPICS[code]
    if code in checks:
        return _check_text(checks[code])
    if code in codes:
        return _code_text(codes[code])
    near = difflib.get_close_matches(code, [*checks, *codes, *TOPICS], 3, 0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "`grader explain all` lists them."
    raise CallerError(f"there is no check or defect {code!r}; {hint}")


def _check_text(check: Check) -> str:
    needs = ", ".join(check.needs) or "nothing"
    return (
        f"{check.id} — {check.title}\n\n"
        f"Asserts    {' '.join(check.asserts.split())}\n"
        f"Serves     {check.serves}\n"
        f"Waits for  {needs}\n"
        f"Hint       {check.hint}"
    )


def _code_text(entry: Kind) -> str:
    rows = [
        ("Area", f"{entry.part}, {entry.severity}"),
        ("Weight", entry.centrality.value),
        ("Shows", entry.shows),
        ("Why", entry.why),
        ("Hint", entry.hint),
        ("Ask", entry.ask),
    ]
    if entry.corrected_cost:
        rows.append(("Corrected", CORRECTED.format(cost=entry.corrected_cost)))
    facts = "\n".join(_row(label, text) for label, text in rows)
    examples = f"Wrong\n\n{_example(entry.wrong)}\n\nRight\n\n{_example(entry.right)}"
    return f"{entry.code} — {entry.what}\n\n{facts}\n\n{examples}"


def _row(label: str, text: str) -> str:
    """A labelled text whose further lines stand below its first."""
    return f"{label:<{LABEL_WIDTH}}" + text.replace("\n", "\n" + " " * LABEL_WIDTH)


def _example(code: str) -> str:
    return textwrap.indent(textwrap.dedent(code).strip("\n"), "    ")
