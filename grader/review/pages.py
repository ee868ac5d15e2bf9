"""What the reviewers' pages show: the walk through the cohort, and one submission to mark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grader import __version__
from grader.records import Confidence, Defect, GradeStatus, Severity, SourceFile, Submission
from grader.report.escape import visible
from grader.report.figures import percent_of, points, score_of
from grader.report.listing import Listing, defect_mark, listings
from grader.report.overview import name_of
from grader.report.pages import render_page
from grader.report.views import answer_sections
from grader.review.folder import Folder, Reviewed
from grader.review.said import CHECK, MARK, found_checks, manual_items
from grader.review.store import Change
from grader.rubric import Item

PACKAGE = "grader.review"
STATUS_ORDER = ("error", "fail", "skipped", "manual", "pass")


@dataclass(frozen=True, slots=True)
class Row:
    """One submission of the walk. `open_points` and `waiting` say what is left to do."""

    id: str
    name: str
    automatic: str
    total: str
    percent: str
    band: str
    open_points: float
    waiting: int
    remarks: int

    @property
    def to_do(self) -> bool:
        """Whether a human still has to look at it."""
        return self.open_points > 0 or self.waiting > 0 or not self.total


def index_row(reviewed: Reviewed) -> Row:
    """What the walk shows of one submission."""
    document = reviewed.document
    return Row(
        id=reviewed.id,
        name=name_of(document),
        automatic=_total(reviewed.automatic)["score"],
        total=_total(document)["score"],
        percent=_total(document)["percent"],
        band=_total(document)["band"],
        open_points=float(document["open_points"]),
        waiting=reviewed.waiting,
        remarks=len(reviewed.said),
    )


def index_page(rows: list[Row], title: str, home: str) -> str:
    """All submissions, in the order in which one walks through them."""
    context = {"rows": rows, "title": title, "home": home, "version": __version__}
    return render_page(
        "review_index.html",
        styles=("style.css", "review.css"),
        scripts=("review_index.js",),
        context=context,
        package=PACKAGE,
    )


def submission_page(folder: Folder, id: str, home: str, reviewer: str) -> str:
    """One submission: what to read on the left, what to mark on the right."""
    reviewed = folder.reviewed(id)
    document, order = reviewed.automatic, list(folder.paths)
    place = order.index(id)
    rubric = folder.rubric(document)
    checks = sorted(found_checks(document, rubric), key=lambda c: STATUS_ORDER.index(c["status"]))
    context = {
        "id": id,
        "name": name_of(document),
        "title": document["rubric"].get("title", ""),
        "place": place + 1,
        "count": len(order),
        "before": order[place - 1] if place else "",
        "after": order[place + 1] if place + 1 < len(order) else "",
        "home": home,
        "reviewer": reviewer,
        "items": [_item(item) for item in manual_items(rubric).values()],
        "checks": checks,
        "statuses": [s for s in STATUS_ORDER if any(c["status"] == s for c in checks)],
        "defects": document["defects"],
        "answers": answer_sections(str(document.get("answers", ""))),
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
    """All that reviewers can change about a submission, as the page's script shows it."""
    reviewed = folder.reviewed(id)
    history = folder.store.history(id)
    titles = {check["id"]: check.get("title", check["id"]) for check in reviewed.document["checks"]}
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
        "history": [_told(change, titles) for change in reversed(history)],
        "paths": _paths(reviewed.automatic),
    }


def field_state(change: Change, reviewed: Reviewed) -> dict[str, Any]:
    """One field: its version, and what was said last."""
    standing, value = reviewed.said.get(change.field), _shown(change.value)
    if value and "file" in value:
        paths = _paths(reviewed.automatic)
        file = (change.value or {})["file"]
        value["index"] = paths.index(file) if file in paths else -1
    return {
        "version": change.version,
        "value": value,
        "who": visible(change.who, multiline=False),
        "at": change.at,
        "why_not": standing.why_not if standing else "",
    }


def _paths(document: Mapping[str, Any]) -> list[str]:
    """The files that the page shows, in its order."""
    return [source["path"] for source in document.get("sources", ())]


def graded_mark(document: Mapping[str, Any]) -> str:
    """What tells one grading of a submission from the next."""
    return f"{document['submission']['digest']}:{document['rubric']['digest']}:{document['seed']}"


def _total(document: Mapping[str, Any]) -> dict[str, Any]:
    """A total in words; "" for the score while it is undecided."""
    decided = document["status"] == GradeStatus.GRADED.value
    score, most = float(document["score"]), float(document["max_score"])
    still = float(document["open_points"])
    return {
        "score": score_of(score, most) if decided else "",
        "percent": percent_of(score, most) if decided else "",
        "band": (document["band"] or "") if decided else "",
        "open": points(still) if still else "",
        "gates": list(document.get("gates", ())),
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "points": item.points,
        "guidance": item.guidance,
        "bonus": item.bonus,
    }


def _told(change: Change, titles: Mapping[str, str]) -> dict[str, Any]:
    """One line of the history."""
    kind, _, about = change.field.partition("/")
    value = change.value or {}
    name = titles.get(about, about)
    if kind == MARK:
        words = f"{value['points']:g} of {value['of']:g} points" if value else "mark taken back"
        words = f"{name}: {words}" + (f". {value['note']}" if value.get("note") else "")
    elif kind == CHECK:
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


def _shown(value: Any) -> Any:
    """`value` with every text in it made visible."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return value


def _listings(document: Mapping[str, Any]) -> tuple[Listing, ...]:
    """The source as the report shows it, with the defects' notes."""
    facts = document["submission"]
    files = tuple(
        SourceFile(source["path"], source["text"].encode("utf-8", "replace"))
        for source in document.get("sources", ())
    )
    submission = Submission(facts["id"], name_of(document), facts["digest"], files, facts["main"])
    found = (_defect(defect) for defect in document["defects"])
    marks = [m for d in found if (m := defect_mark(d, f"defect-{d.code}")) is not None]
    return listings(submission, marks, {})


def _defect(defect: Mapping[str, Any]) -> Defect:
    return Defect(
        defect["code"],
        Severity(defect["severity"]),
        defect["message"],
        defect["hint"],
        confidence=Confidence(defect["confidence"]),
        file=defect["file"],
        line=defect["line"],
        end_line=defect["end_line"],
    )
