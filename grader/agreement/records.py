"""Read a file of marks as plain records, each with its place; nothing is judged here."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import CallerError

MOST_BYTES = 16 << 20
"""A thousand submissions with ten markers and their reasons are 2 MB."""

IDENTITIES = ("submission", "id", "name")
"""Columns that may identify the submission; the first of them that is there does."""

FIELDS = ("mark", "band", "why")
LISTS = {"marks": "mark", "bands": "band", "why": "why"}
"""The members of a submission in the JSON form, and the field that each fills."""


@dataclass(frozen=True, slots=True)
class MarkRecord:
    """One marker's words on one submission as they stand in the file.

    `place` is the row, or the submission's key; `columns` says for each field of `values` which
    column or list entry it came from.
    """

    place: str
    columns: Mapping[str, str]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MarkRecords:
    """All records of a file, the submissions that it names, and what is wrong with its form."""

    records: tuple[MarkRecord, ...]
    named: tuple[str, ...]
    problems: tuple[str, ...]


def read_records(path: Path) -> MarkRecords:
    """Return what stands in a CSV or JSON file. Raises `CallerError` when it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise CallerError(f"{path} is larger than {MOST_BYTES >> 20} MB; name a file of marks")
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise CallerError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CallerError(f"{path} is not UTF-8; save it as a CSV or JSON in UTF-8") from error
    if path.suffix.casefold() == ".json" or text.lstrip()[:1] in ("{", "["):
        return _of_json(path, text)
    return _of_csv(path, text)


# ── CSV ──────────────────────────────────────────────────────────────────────


def _of_csv(path: Path, text: str) -> MarkRecords:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise CallerError(f"{path} cannot be read as CSV: {error}") from error
    heads = [head.strip() for head in rows[0]] if rows else []
    names = [head.casefold() for head in heads]
    identity = next((names.index(name) for name in IDENTITIES if name in names), None)
    if identity is None:
        raise CallerError(
            f"{path}: row 1 names no column that identifies the submission; call one "
            f"`{IDENTITIES[0]}`"
        )
    problems = [
        f"row 1, column {head}: stands twice; give each column a name of its own"
        for place, head in enumerate(heads)
        if head and names[place] in names[:place]
    ]
    records: list[MarkRecord] = []
    named: dict[str, None] = {}
    is_long = not {"mark", "band"}.isdisjoint(names)
    for number, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(heads):
            problems.append(f"row {number}: {len(cells)} cells, but {len(heads)} columns")
            continue
        filled = dict(zip(heads, (cell.strip() for cell in cells), strict=False))
        submission = filled[heads[identity]] if len(cells) > identity else ""
        named[submission] = None
        own = {h: v for h, v in filled.items() if h and h.casefold() not in IDENTITIES}
        make = _long if is_long else _wide
        records += make(f"row {number}", heads[identity], submission, own)
    return MarkRecords(tuple(records), tuple(named), tuple(problems))


def _long(
    place: str, identity: str, submission: str, own: Mapping[str, str]
) -> Iterator[MarkRecord]:
    """Yield the one record of a row of `submission, marker, mark, band, why`."""
    columns = {head.casefold(): head for head in own} | {"submission": identity}
    values = {head.casefold(): value for head, value in own.items()}
    yield MarkRecord(place, columns, values | {"submission": submission})


def _wide(
    place: str, identity: str, submission: str, own: Mapping[str, str]
) -> Iterator[MarkRecord]:
    """Yield a record for each marker of a row: a column `anna`, and `anna:band`, `anna:why`.

    A column without a field holds marks where a cell is a number, else bands.
    """
    markers: dict[str, dict[str, tuple[str, str]]] = {}
    for head, value in own.items():
        marker, _, field = head.rpartition(":")
        if not marker or field.casefold() not in FIELDS:
            marker, field = head, "mark" if _is_number(value) else "band"
        if value:
            markers.setdefault(marker.strip(), {})[field.casefold()] = (head, value)
    for marker, fields in markers.items():
        columns = {field: head for field, (head, _) in fields.items()} | {"submission": identity}
        values = {field: value for field, (_, value) in fields.items()}
        yield MarkRecord(place, columns, values | {"submission": submission, "marker": marker})


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


# ── JSON ─────────────────────────────────────────────────────────────────────


def _of_json(path: Path, text: str) -> MarkRecords:
    problems: list[str] = []

    def members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            problems.extend(f"“{k}” stands twice" for k in found if keys.count(k) > 1)
        return found

    try:
        data = json.loads(text, object_pairs_hook=members)
    except (ValueError, RecursionError) as error:
        raise CallerError(f"{path} cannot be read as JSON: {error}") from error
    if isinstance(data, list):
        records = [r for n, one in enumerate(data, 1) for r in _of_entry(n, one, problems)]
        named = [str(r.values.get("submission", "")) for r in records]
    elif isinstance(data, dict):
        records = [r for key, one in data.items() for r in _of_lists(key, one, problems)]
        named = list(data)
    else:
        raise CallerError(f'{path} holds no marks; write {{"name": {{"marks": [55, 60]}}}}')
    return MarkRecords(tuple(records), tuple(dict.fromkeys(named)), tuple(problems))


def _of_entry(number: int, one: Any, problems: list[str]) -> Iterator[MarkRecord]:
    """Yield the one record of an entry of a list, which has the columns of the long CSV form."""
    place = f"entry {number}"
    if not isinstance(one, dict):
        problems.append(f'{place}: write {{"submission": …, "mark": …}}')
        return
    identity = next((name for name in IDENTITIES if name in one), IDENTITIES[0])
    values = {key: value for key, value in one.items() if key not in IDENTITIES}
    columns = {key: key for key in values} | {"submission": identity}
    yield MarkRecord(place, columns, values | {"submission": one.get(identity, "")})


def _of_lists(key: str, one: Any, problems: list[str]) -> Iterator[MarkRecord]:
    """Yield a record for each place of a submission's lists: the markers are 1, 2, …"""
    place = f"“{key}”"
    if not isinstance(one, dict) or not all(isinstance(each, list) for each in one.values()):
        problems.append(f'{place}: write {{"marks": […], "bands": […], "why": […]}}')
        return
    if unknown := [name for name in one if name not in LISTS]:
        problems.append(f"{place}, {unknown[0]}: not one of {', '.join(LISTS)}")
        return
    lengths = {name: len(each) for name, each in one.items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{count} {name}" for name, count in lengths.items())
        problems.append(f"{place}: {counts}; each list has one entry for each marker")
        return
    for at in range(max(lengths.values(), default=0)):
        values = {LISTS[name]: each[at] for name, each in one.items()}
        columns = {LISTS[name]: f"{name}[{at}]" for name in one}
        yield MarkRecord(place, columns, values | {"submission": key, "marker": str(at + 1)})
