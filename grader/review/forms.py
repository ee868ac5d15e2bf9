"""The fields that a reviewer may fill in for a submission: four kinds, each with its form.

A field's name is its kind, a slash, and what it is about: `mark/<item>`,
`check/<check>`, `comment/<any id>`; `total/score` is the mark of an answer that has no score.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from grader.errors import CallerError
from grader.report.stored import Document, is_unjudged
from grader.rubric import Item, Rubric

MARK, CHECK, COMMENT, TOTAL = "mark", "check", "comment", "total"
SCORE = "score"
MOST_LETTERS = 4000
MOST_NAME = 80
COMMENT_ID = re.compile(r"[a-z0-9-]{1,64}")
QUOTED = 200
"""Letters of a commented line that are kept, for the day on which the line is another."""

Text: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MOST_LETTERS)]
Some: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MOST_LETTERS)
]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Form = TypeVar("Form", bound=_Form)


class MarkForm(_Form):
    """Points for a manual item; `ticked` are the sentences of its guidance that are met."""

    points: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    ticked: Annotated[list[Some], Field(max_length=200)] = []
    note: Text = ""


class TotalForm(_Form):
    """Points for all that no check could judge, and why."""

    points: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    note: Text = ""


class OverrideForm(_Form):
    """Another status for a check, and why."""

    status: Literal["pass", "fail"]
    reason: Some


class CommentForm(_Form):
    """A remark about a line of the source."""

    file: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    line: Annotated[int, Field(ge=1)]
    text: Some


class ChangeRequest(_Form):
    """What a page sends: a field, its new value (None takes it back), and upon which version."""

    field: Annotated[str, StringConstraints(max_length=200)]
    value: dict[str, Any] | None
    base: Annotated[int, Field(ge=0)]
    who: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MOST_NAME)
    ]


def read_request(data: bytes) -> ChangeRequest:
    """Return the request in the body `data`. Raises `CallerError` with what is wrong."""
    return _valid(ChangeRequest, data)


def value_to_store(
    request: ChangeRequest, document: Document, rubric: Rubric
) -> dict[str, Any] | None:
    """Return the value to keep, with the facts of `document` that it is about.

    Raises `CallerError` when the submission has no such field, or it cannot have such a value.
    """
    kind, _, about = request.field.partition("/")
    statuses = {check["id"]: check["status"] for check in found_checks(document, rubric)}
    value, item, status = request.value, manual_items(rubric).get(about), statuses.get(about)
    if kind == MARK and item:
        return None if value is None else _mark(value, item)
    if kind == TOTAL and about == SCORE and is_unjudged(document):
        return None if value is None else _total(value, float(document["max_score"]))
    if kind == CHECK and status:
        return None if value is None else _override(value, status)
    if kind == COMMENT and COMMENT_ID.fullmatch(about):
        return None if value is None else _comment(value, document)
    raise CallerError(f"there is no {request.field!r} in this submission; reload the page")


def manual_items(rubric: Rubric) -> dict[str, Item]:
    """Return the items that a human marks, by id."""
    return {item.id: item for part in rubric.parts for item in part.items if item.manual}


def _mark(value: dict[str, Any], item: Item) -> dict[str, Any]:
    mark = _valid(MarkForm, value)
    if mark.points > item.points:
        raise CallerError(f"{mark.points:g} points are more than the {item.points:g} of this item")
    ticked = [line for line in item.guidance if line in mark.ticked]
    return {"points": mark.points, "of": item.points, "ticked": ticked, "note": mark.note}


def _total(value: dict[str, Any], most: float) -> dict[str, Any]:
    total = _valid(TotalForm, value)
    if total.points > most:
        raise CallerError(f"{total.points:g} points are more than the {most:g} of all checks")
    return {"points": total.points, "of": most, "note": total.note}


def _override(value: dict[str, Any], now: str) -> dict[str, Any]:
    override = _valid(OverrideForm, value)
    return {"status": override.status, "was": now, "reason": override.reason}


def _comment(value: dict[str, Any], document: Document) -> dict[str, Any]:
    comment = _valid(CommentForm, value)
    texts = {source["path"]: source["text"] for source in document["sources"]}
    lines = texts.get(comment.file, "").split("\n")
    if comment.file not in texts or comment.line > len(lines):
        raise CallerError(f"{comment.file} has no line {comment.line}")
    quote = lines[comment.line - 1][:QUOTED]
    return {"file": comment.file, "line": comment.line, "quote": quote, "text": comment.text}


def found_checks(document: Document, rubric: Rubric) -> list[Document]:
    """Return the checks of a result, without the manual items that stand among them."""
    items = manual_items(rubric)
    return [c for c in document["checks"] if not (c["status"] == "manual" and c["id"] in items)]


def _valid(model: type[Form], value: bytes | dict[str, Any]) -> Form:
    try:
        return (
            model.model_validate_json(value)
            if isinstance(value, bytes)
            else model.model_validate(value)
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise CallerError(f"{where or 'this'} cannot be saved: {first['msg']}") from None
