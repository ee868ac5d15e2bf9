"""What no single value shows: ids that exist, are unique, and sums that fit.

The cross-checks walk the plain data, not the models, so that one bad value
does not hide the others; an `Item` is examined once its own values are valid.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from grader.rubric.model import Item, Tier
from grader.rubric.problems import MOST_SHOWN, did_you_mean
from grader.yaml_data import Lines, Path, Plain, Problem, Step, quoted


def cross_check(
    plain: Plain, lines: Lines, known: Collection[str], codes: Collection[str] | None
) -> list[Problem]:
    """Return problems between the values of a whole file; `plain` may be any data."""
    return [
        *_unknown_checks(plain, lines, known),
        *_checks_used_twice(plain, lines),
        *_listed_twice(plain, lines),
        *_ids(plain, lines, known),
        *_empty_dimensions(plain, lines),
        *_bands(plain, lines),
        *_deductions(plain, lines, codes),
    ]


def item_problems(item: Item) -> list[tuple[Path, str]]:
    """Return problems between the values of one item; the path is inside the item."""
    say: list[tuple[Path, str]] = []
    if item.manual:
        if item.checks:
            say.append((("checks",), "a manual item has no checks; delete `checks` or `manual`"))
        if item.bonus:
            say.append((("bonus",), "a manual item cannot be a bonus; delete `bonus` or `manual`"))
    else:
        if not item.checks:
            what = f"item `{item.id}` rests on nothing"
            say.append(((), f"{what}; write `checks: [a.check]`, or `manual: true` for a human"))
        if item.question:
            what = "`question` shows a written answer to a human"
            say.append((("question",), f"{what}; delete it, or write `manual: true`"))
        if item.guidance:
            what = "`guidance` is for a human's marks"
            say.append((("guidance",), f"{what}; delete it, or write `manual: true`"))
    if item.credit == "tiers":
        say.extend(_tier_problems(item))
    elif item.tiers:
        say.append((("tiers",), "`tiers` counts only with `credit: tiers`; write that too"))
    return say


def _tier_problems(item: Item) -> Iterator[tuple[Path, str]]:
    if not item.tiers:
        example = f"tiers: [{{passed: {max(1, len(item.checks))}, points: {item.points:g}}}]"
        yield ("credit",), f"`credit: tiers` without tiers; write for example `{example}`"
        return
    before: Tier | None = None
    for i, tier in enumerate(item.tiers):
        if tier.passed > len(item.checks):
            what = f"{tier.passed} checks cannot pass, the item has {len(item.checks)}"
            yield ("tiers", i, "passed"), f"{what}; write a number up to {len(item.checks)}"
        if before and tier.passed <= before.passed:
            what = f"`passed` does not rise after {before.passed}"
            yield ("tiers", i, "passed"), f"{what}; sort the tiers, one for each number"
        if before and tier.points < before.points:
            what = f"more passes would earn less than {before.points:g}"
            yield ("tiers", i, "points"), f"{what}; write {before.points:g} or more"
        before = tier
    if before and before.points != item.points:
        what = f"the last tier earns {before.points:g}, the item is worth {item.points:g}"
        yield ("tiers", len(item.tiers) - 1, "points"), f"{what}; write `points: {item.points:g}`"


# ── walking data that may be anything ────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Named:
    """A text found in the data, and where."""

    text: str
    path: Path


def _get(value: Plain, key: str) -> Plain:
    return value.get(key) if isinstance(value, dict) else None


def _each(value: Plain, path: Path) -> Iterator[tuple[Plain, Path]]:
    """Yield the entries of a list, none of anything else."""
    if isinstance(value, list):
        yield from ((entry, (*path, i)) for i, entry in enumerate(value))


def _entries(plain: Plain, key: str) -> Iterator[tuple[Plain, Path]]:
    yield from _each(_get(plain, key), (key,))


def _items(plain: Plain) -> Iterator[tuple[Plain, Path]]:
    for part, path in _entries(plain, "parts"):
        yield from _each(_get(part, "items"), (*path, "items"))


def _groups(plain: Plain) -> Iterator[tuple[Plain, Path]]:
    for dimension, path in _entries(plain, "dimensions"):
        yield from _each(_get(dimension, "groups"), (*path, "groups"))


def _texts(entries: Iterator[tuple[Plain, Path]], key: str) -> Iterator[list[_Named]]:
    """Yield for each entry the texts in its list `key`."""
    for entry, path in entries:
        found = _each(_get(entry, key), (*path, key))
        yield [_Named(text, at) for text, at in found if isinstance(text, str)]


def _twice(names: list[_Named]) -> Iterator[tuple[_Named, _Named]]:
    """Yield each repetition with the first that bore its name."""
    first: dict[str, _Named] = {}
    for name in names:
        if (earlier := first.setdefault(name.text, name)) is not name:
            yield earlier, name


# ── the cross-checks ─────────────────────────────────────────────────────────


def _unknown_checks(plain: Plain, lines: Lines, known: Collection[str]) -> Iterator[Problem]:
    ids, near = sorted(known), dict[str, str]()
    lists = (
        *_texts(_items(plain), "checks"),
        *_texts(_entries(plain, "gates"), "unless"),
        *_texts(_entries(plain, "dimensions"), "checks"),
        *_texts(_groups(plain), "checks"),
    )
    for name in (name for names in lists for name in names):
        if name.text in known or not name.text:
            continue
        if name.text not in near and len(near) < MOST_SHOWN:  # guessing is slow; no more are shown
            near[name.text] = did_you_mean(name.text, ids)
        guess = near.get(name.text, "")
        instead = f"write `{guess}`" if guess else "delete it, or name a check that exists"
        yield Problem(lines.at(name.path), f"unknown check {quoted(name.text)}; {instead}")


def _checks_used_twice(plain: Plain, lines: Lines) -> Iterator[Problem]:
    names = [name for names in _texts(_items(plain), "checks") for name in names]
    for earlier, later in _twice(names):
        first, second = lines.at(earlier.path), lines.at(later.path)
        where = f"on line {first}" if first == second else f"on lines {first} and {second}"
        what = f"check {quoted(later.text)} earns points twice, {where}"
        yield Problem(second, f"{what}; keep it in one item")


def _deductions(plain: Plain, lines: Lines, known: Collection[str] | None) -> Iterator[Problem]:
    """Yield codes that nobody gives to a defect, and severities left empty."""
    section, path = _get(plain, "deductions"), ("deductions",)
    for severity in ("major", "minor"):
        if isinstance(section, dict) and severity in section and section[severity] is None:
            what = f"`{severity}` is empty, but must be a number"
            yield Problem(lines.at((*path, severity)), f"{what}; write one, or delete the line")
    codes = _get(section, "codes")
    if known is None or not isinstance(codes, dict):
        return
    ids = sorted(known)
    unknown = [code for code in codes if code not in known]
    for code in unknown[:MOST_SHOWN]:  # guessing is slow; no more are shown
        guess = did_you_mean(code, ids)
        instead = f"write `{guess}`" if guess else "delete it, or name a code that exists"
        where = lines.at((*path, "codes", code))
        yield Problem(where, f"unknown defect code {quoted(code)}; {instead}")


def _listed_twice(plain: Plain, lines: Lines) -> Iterator[Problem]:
    lists = (
        *_texts(_entries(plain, "gates"), "unless"),
        *_texts(_entries(plain, "dimensions"), "checks"),
        *_texts(_groups(plain), "checks"),
    )
    for earlier, later in (pair for names in lists for pair in _twice(names)):
        what = f"check {quoted(later.text)} is listed twice, first on line {lines.at(earlier.path)}"
        yield Problem(lines.at(later.path), f"{what}; delete one")


def _ids(plain: Plain, lines: Lines, known: Collection[str]) -> Iterator[Problem]:
    groups: Mapping[str, Iterator[tuple[Plain, Path]]] = {
        "part": _entries(plain, "parts"),
        "item": _items(plain),
        "dimension": _entries(plain, "dimensions"),
    }
    for kind, entries in groups.items():
        found = ((_get(entry, "id"), (*path, "id")) for entry, path in entries)
        names = [_Named(text, path) for text, path in found if isinstance(text, str)]
        for earlier, later in _twice(names):
            what = f"{kind} id {quoted(later.text)} is taken on line {lines.at(earlier.path)}"
            yield Problem(lines.at(later.path), f"{what}; write another id")
        for name in names if kind == "item" else ():
            if name.text in known:
                what = f"item id {quoted(name.text)} is the id of a check"
                yield Problem(lines.at(name.path), f"{what}; write another, such as `{kind}-1`")


def _empty_dimensions(plain: Plain, lines: Lines) -> Iterator[Problem]:
    for dimension, path in _entries(plain, "dimensions"):
        if isinstance(dimension, dict) and not (dimension.get("checks") or dimension.get("groups")):
            what = "a dimension counts no checks"
            yield Problem(lines.at(path), f"{what}; write `checks: [forward.shapes]`, or `groups`")
        elif isinstance(dimension, dict) and "checks" in dimension and "groups" in dimension:
            what = "a dimension has `checks` or `groups`, not both"
            yield Problem(lines.at((*path, "checks")), f"{what}; move them into a group")


def _bands(plain: Plain, lines: Lines) -> Iterator[Problem]:
    found = [(_get(band, "at_least"), path) for band, path in _entries(plain, "bands")]
    key: Step = "at_least"
    numbers = [
        (value, (*path, key))
        for value, path in found
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    for (above, _), (value, path) in pairwise(numbers):
        if value >= above:
            what = f"`at_least` is {value:g} after {above:g}, but the bands descend"
            yield Problem(lines.at(path), f"{what}; sort them from the highest to 0")
    if numbers and len(numbers) == len(found) and numbers[-1][0] != 0:
        value, path = numbers[-1]
        what = f"the last band starts at {value:g}, so lower scores have no name"
        yield Problem(lines.at(path), f"{what}; end with a band `at_least: 0`")
