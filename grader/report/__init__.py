"""Write a `Result` as HTML, JSON and CSV. Views format and templates place; neither judges."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TextIO

from grader import __version__
from grader.records import GradeStatus, Result
from grader.report.audience import for_candidate
from grader.report.document import json_text, result_json
from grader.report.escape import visible
from grader.report.overview import MAX_COUNTED, SHARES, SimilarGroup, overview
from grader.report.packed_rows import rows_json
from grader.report.pages import compile_pages, page_pieces, render_page
from grader.report.table import write_csv
from grader.report.views import Audience, report_view

__all__ = [
    "Audience",
    "compile_pages",
    "for_candidate",
    "json_text",
    "render_report",
    "result_json",
    "visible",
    "write_csv",
    "write_index",
]


def render_report(result: Result, *, audience: Audience) -> str:
    """Return one self-contained page about one submission.

    A candidate's page keeps back what the next candidate should not know: expected
    values, the seed, the marking guidance, and how the code was confined.
    """
    if audience == "candidate":
        result = for_candidate(result)
    context = {
        "result": result,
        "submission": result.submission,
        "grade": result.grade,
        "observations": result.observations,
        "view": report_view(result, audience),
        "interviewer": audience == "interviewer",
        "decided": result.grade.status is GradeStatus.GRADED,
        "why": result.unjudged,
        "version": __version__,
    }
    styles, scripts = ("style.css", "pictures.css"), ("report.js",)
    return render_page("report.html", styles=styles, scripts=scripts, context=context)


def write_index(
    rows: Collection[Mapping[str, Any]],
    title: str,
    stream: TextIO,
    summary: Mapping[str, str] | None = None,
    similar: Sequence[SimilarGroup] = (),
) -> None:
    """Write the cohort's page from `result_json` dictionaries; `summary` holds facts to state.

    Goes through `rows` twice and keeps a line's worth of each; the page itself goes to
    `stream` piece by piece. `similar` are groups of answers that are built alike, by id. Links
    point to `submissions/<id>/report.html` beside the page.
    """
    view = overview(rows, similar)
    context = {
        "title": title,
        "summary": dict(summary or {}),
        "view": view,
        "data": rows_json(view),
        "counted": MAX_COUNTED,
        "shares": [words for _, words in SHARES],
        "version": __version__,
    }
    styles, scripts = ("style.css", "cohort.css"), ("table-core.js", "index.js")
    stream.writelines(page_pieces("index.html", styles=styles, scripts=scripts, context=context))
