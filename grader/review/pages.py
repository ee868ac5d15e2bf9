"""The content of the reviewers' pages: the list of submissions, and one submission to mark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grader import __version__
from grader.report.escape import visible
from grader.report.listing import Listing, defect_mark, listings
from grader.report.numbers import percent_of, points, score_of
from grader.report.pages import render_page
from grader.report.stored import (
    Document,
    defects_of,
    is_decided,
    is_unjudged,
    name_of,
    score_in,
    submission_of,
)
from grader.report.views import STATUS_ORDER, answer_sections
from grader.review.folder import Folder, Reviewed
from grader.review.forms import CHECK, MARK, TOTAL, found_checks, manual_items
from grader.review.store import Change

PACKAGE = "grader.review"
STATUSES = [status.value for status, _, _ in STATUS_ORDER]


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One submission of the list. `open_points` and `waiting` say what is left to do."""

    id: str
    name: str
    automatic: str
    total: str
    percent: str
    band: str
    open_points: float
    waiting: int
    remarks: int
    status: str

    @property
    def to_do(self) -> bool:
        """Return whether a human still has to look at it."""
        return self.open_points > 0 or self.waiting > 0 or not self.total


def index_row(reviewed: Reviewed) -> ReviewRow:
    """Return what the walk shows of one submission."""
    document = reviewed.document
    return ReviewRow(
        id=reviewed.id,
        name=name_of(document),
        automatic=_total(reviewed.automatic)["score"],
        total=_total(document)["score"],
        percent=_total(document)["percent"],
        band=_total(document)["band"],
        open_points=float(document["open_points"]),
        waiting=reviewed.waiting,
        remarks=len(reviewed.judged),
        status=str(document["status"]),
    )


def index_page(rows: list[ReviewRow], title: str, home: str) -> str:
    """Return all submissions, in the order in which one walks through them."""
    context = {"rows": rows, "title": title, "home": home, "version": __version__}
    return render_page(
        "review_index.html",
        styles=("style.css", "review.css"),
        scripts=("review_index.js",),
        context=context,
        package=PACKAGE,
    )


def submission_page(folder: Folder, id: str, home: str, reviewer: str) -> str:
    """Return one submission: what to read on the left, what to mark on the right."""
    reviewed = folder.reviewed(id)
    document, order = reviewed.automatic, list(folder.paths)
    place = order.index(id)
    rubric = folder.rubric(document)
    checks = sorted(found_checks(document, rubric), key=lambda c: STATUSES.index(c["status"]))
    context = {
        "id": id,
        "name": name_of(document),
        "title": document["rubric"]["title"],
        "place": place + 1,
        "count": len(order),
        "before": order[place - 1] if place else "",
        "after": order[place + 1] if place + 1 < len(order) else "",
        "home": home,
        "reviewer": reviewer,
        "why": document.get("unjudged") if is_unjudged(document) else None,
        "most": float(document["max_score"]),
        "items": list(manual_items(rubric).values()),
        "checks": checks,
        "statuses": [s for s in STATUSES if any(c["status"] == s for c in checks)],
        "defects": document["defects"],
        "answers": answer_sections(document["answers"]),
        "listings": _listings(document),
        "state": state(folder, id),
        "version": __version__,
    }
    return render_page(
        "review.html",
        styles=("style.css", "review.css"),
        scripts=("review.js",),
        context=context,
        package=PACKAGE,
        asks_home=True,
    )


def state(folder: Folder, id: str) -> dict[str, Any]:
    """Return all that reviewers can change about a submission, as the page's script shows it."""
    reviewed = folder.reviewed(id)
    history = folder.store.history(id)
    titles = {check["id"]: check["title"] for check in reviewed.document["checks"]}
    return {
        "last": history[-1].number if history else 0,
        "graded": graded_mark(reviewed.automatic),
        "automatic": _total(reviewed.automatic),
        "total": _total(reviewed.document),
        "waiting": reviewed.waiting,
        "fields": {
            change.field: field_state(change, reviewed)
            for change in folder.store.latest(id).values()
        },
        "history": [_history_line(change, titles) for change in reversed(history)],
        "paths": _paths(reviewed.automatic),
    }


def field_state(change: Change, reviewed: Reviewed) -> dict[str, Any]:
    """Return one field: its version, and what was said last."""
    judgement, value = reviewed.judged.get(change.field), _visible(change.value)
    if value and "file" in value:
        paths = _paths(reviewed.automatic)
        file = (change.value or {})["file"]
        value["index"] = paths.index(file) if file in paths else -1
    return {
        "version": change.version,
        "value": value,
        "who": visible(change.who, multiline=False),
        "at": change.at,
        "why_not": judgement.why_not if judgement else "",
    }


def _paths(document: Document) -> list[str]:
    """Return the files that the page shows, in its order."""
    return [source["path"] for source in document["sources"]]


def graded_mark(document: Document) -> str:
    """Return what tells one grading of a submission from the next."""
    return f"{document['submission']['digest']}:{document['rubric']['digest']}:{document['seed']}"


def _total(document: Document) -> dict[str, Any]:
    """Return a total in words; "" for the score while it is undecided."""
    decided = is_decided(document)
    score, most = score_in(document), float(document["max_score"])
    still = float(document["open_points"])
    return {
        "score": score_of(score, most) if decided else "",
        "status": str(document["status"]),
        "percent": percent_of(score, most) if decided else "",
        "band": (document["band"] or "") if decided else "",
        "open": points(still) if still else "",
        "gates": document["gates"],
    }


def _history_line(change: Change, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return one line of the history."""
    about, value = change.about, change.value or {}
    if change.kind in (MARK, TOTAL):
        words = f"{value['points']:g} of {value['of']:g} points" if value else "mark taken back"
        words = f"{titles.get(about, about.capitalize())}: {words}" + (
            f". {value['note']}" if value.get("note") else ""
        )
    elif change.kind == CHECK:
        words = f"{value['status']}, not {value['was']}: {value['reason']}" if value else ""
        words = f"{about}: {words or 'override taken back'}"
    else:
        words = (
            f"{value['file']}:{value['line']}: {value['text']}" if value else "remark taken back"
        )
    return {
        "number": change.number,
        "who": visible(change.who, multiline=False),
        "at": change.at,
        "words": visible(words),
    }


def _visible(value: Any) -> Any:
    """Return `value` with every text in it made visible."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {key: _visible(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_visible(item) for item in value]
    return value


def _listings(document: Document) -> tuple[Listing, ...]:
    """Return the source as the report shows it, with the defects' notes."""
    marks = (defect_mark(defect, f"defect-{defect.code}") for defect in defects_of(document))
    return listings(submission_of(document), [mark for mark in marks if mark], {})
