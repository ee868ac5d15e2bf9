"""The marks of a panel: what each marker says of each submission, validated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from grader.agreement.records import MarkRecord, read_records
from grader.errors import CallerError

MOST_PROBLEMS = 20
"""Problems that are shown at once."""

ONLY_MARKER = "1"
"""The marker's name where the file names none."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one marker says of one submission: a mark from 0 to 100, a band (0 the lowest), why.

    What the marker left out is None, or "".
    """

    mark: float | None
    band: int | None
    why: str


@dataclass(frozen=True, slots=True)
class PanelMarks:
    """The opinions by submission, as the file calls it, and by marker.

    A submission that the file names without a mark or a band has no opinions.
    """

    markers: tuple[str, ...]
    opinions: Mapping[str, Mapping[str, Opinion]]


def _nothing(value: Any) -> Any:
    """Return None for an empty cell; `true` is no number, and stays text that is refused."""
    return None if value == "" else str(value) if isinstance(value, bool) else value


Percent: TypeAlias = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class _MarkForm(BaseModel):
    """One record of the file. The context holds `bands`: the names, the highest first."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    submission: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    marker: Annotated[str, StringConstraints(min_length=1, max_length=100)] = ONLY_MARKER
    mark: Annotated[Percent | None, BeforeValidator(_nothing)] = None
    band: int | None = None
    why: Annotated[str, StringConstraints(max_length=2000)] = ""

    @field_validator("band", mode="before")
    @classmethod
    def _number_of(cls, value: Any, info: ValidationInfo) -> int | None:
        """Return the band's number from its name or its number; the lowest is 0."""
        if value in ("", None):
            return None
        names: Sequence[str] = info.context["bands"] if info.context else ()
        known = {name.casefold(): at for at, name in enumerate(reversed(names))}
        word = " ".join(str(value).split()).casefold()
        known |= {str(at): at for at in range(len(names))} | {
            f"{at}.0": at for at in range(len(names))
        }
        if isinstance(value, bool) or word not in known:
            raise ValueError(_band_words(names))
        return known[word]

    @field_validator("why", mode="before")
    @classmethod
    def _reason(cls, value: Any) -> Any:
        return "" if value is None else value


def _band_words(names: Sequence[str]) -> str:
    if not names:
        return "the rubric has no bands; leave them out"
    numbered = ", ".join(f"{len(names) - 1 - at} or {name}" for at, name in enumerate(names))
    return f"not a band of the rubric; write {numbered}"


SENTENCES = {
    "missing": "missing",
    "string_too_short": "empty; write the submission's id",
    "greater_than_equal": "below 0; a mark is from 0 to 100",
    "less_than_equal": "above 100; a mark is from 0 to 100",
    "finite_number": "no finite number; a mark is from 0 to 100",
    "float_parsing": "not a number; a mark is from 0 to 100, such as 62.5",
    "float_type": "not a number; a mark is from 0 to 100, such as 62.5",
    "extra_forbidden": "not one of submission, marker, mark, band, why",
}
"""What is wrong, by pydantic's type of error."""


def read_marks(path: Path, bands: Sequence[str]) -> PanelMarks:
    """Return the marks in a CSV or JSON file; `bands` are the rubric's names, the highest first.

    Raises `CallerError` with each problem, its row and its column.
    """
    read = read_records(path)
    problems = list(read.problems)
    opinions: dict[str, dict[str, Opinion]] = {name: {} for name in read.named if name}
    markers: dict[str, None] = {}
    for record in read.records:
        try:
            form = _MarkForm.model_validate(dict(record.values), context={"bands": bands})
        except ValidationError as error:
            problems += [_problem(record, detail) for detail in error.errors(include_url=False)]
            continue
        if form.mark is None and form.band is None:
            continue
        mine = opinions.setdefault(form.submission, {})
        if form.marker in mine:
            by = f"{form.submission} by the marker {form.marker}"
            problems.append(f"{record.place}: a second mark of {by}; keep one")
        mine[form.marker] = Opinion(form.mark, form.band, form.why)
        markers.setdefault(form.marker)
    if problems:
        rest = len(problems) - MOST_PROBLEMS
        shown = [f"{path}: {problem}" for problem in problems[:MOST_PROBLEMS]]
        raise CallerError("\n".join([*shown, *([f"and {rest} more problems"] if rest > 0 else [])]))
    if not markers:
        raise CallerError(f"{path} holds no mark and no band")
    return PanelMarks(tuple(markers), opinions)


def _problem(record: MarkRecord, detail: Any) -> str:
    """Return where a value stands, what it is, and what to write instead."""
    field = str(detail["loc"][0]) if detail["loc"] else ""
    column = record.columns.get(field, field)
    inner = detail.get("ctx", {}).get("error")
    words = str(inner) if inner else SENTENCES.get(detail["type"], detail["msg"])
    value = detail.get("input")
    quoted = "" if detail["type"] in ("missing", "string_too_short") else f"{str(value)[:60]!r} is "
    quoted = "" if detail["type"] == "extra_forbidden" else quoted
    return f"{record.place}, column {column}: {quoted}{words}"
