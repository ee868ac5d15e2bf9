"""The rules between the values of a rubric: ids that exist and are unique, sums that fit.

The cross-checks walk the plain data, not the models, so that one bad value
does not hide the others; an `Item` is examined once its own values are valid.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import TypeAlias

from pydantic import ValidationError

from grader.rubric.model import Item, Tier
from grader.rubric.problems import MOST_SHOWN, did_you_mean
from grader.yaml_data import Lines, Path, Plain, Problem, quoted


def cross_check(
    plain: Plain, lines: Lines, known: Collection[str], codes: Collection[str] | None
) -> list[Problem]:
    """Return the problems between the values of a whole file; `plain` may be any data."""
    return [
        *_items(plain, lines),
        *_unknown_checks(plain, lines, known),
        *_checks_used_twice(plain, lines),
        *_listed_twice(plain, lines),
        *_ids(plain, lines, known),
        *_empty_dimensions(plain, lines),
        *_bands(plain, lines),
        *_deductions(plain, lines),
        *_codes(plain, lines, codes),
        *_charged(plain, lines),
    ]


def _item_problems(item: Item) -> Iterator[tuple[Path, str]]:
    """Yield problems between the values of one item; the path is inside the item."""
    if item.manual:
        if item.checks:
            yield ("checks",), "a manual item has no checks; delete `checks` or `manual`"
        if item.bonus:
            yield ("bonus",), "a manual item cannot be a bonus; delete `bonus` or `manual`"
    else:
        if not item.checks:
            what = f"item `{item.id}` rests on nothing"
            yield (), f"{what}; write `checks: [a.check]`, or `manual: true` for a human"
        if item.question:
            what = "`question` shows a written answer to a human"
            yield ("question",), f"{what}; delete it, or write `manual: true`"
        if item.guidance:
            what = "`guidance` is for a human's marks"
            yield ("guidance",), f"{what}; delete it, or write `manual: true`"
    if item.credit == "tiers":
        yield from _tier_problems(item)
    elif item.tiers:
        yield ("tiers",), "`tiers` counts only with `credit: tiers`; write that too"


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


ANY = "*"
"""In a pattern: each entry of a list."""

PARTS, ITEMS = ("parts", ANY), ("parts", ANY, "items", ANY)
DIMENSIONS = ("dimensions", ANY)
LISTED = (("gates", ANY, "unless"), (*DIMENSIONS, "checks"), (*DIMENSIONS, "groups", ANY, "checks"))
"""Where a rubric names checks, besides those that earn points."""

Named: TypeAlias = tuple[str, Path]
"""A text found in the data, and where."""


def _find(value: Plain, pattern: tuple[str, ...], path: Path = ()) -> Iterator[tuple[Plain, Path]]:
    """Yield what stands at `pattern`, with its path; a missing key gives None."""
    if not pattern:
        yield value, path
    elif pattern[0] != ANY:
        inner = value.get(pattern[0]) if isinstance(value, dict) else None
        yield from _find(inner, pattern[1:], (*path, pattern[0]))
    elif isinstance(value, list):
        for i, entry in enumerate(value):
            yield from _find(entry, pattern[1:], (*path, i))


def _texts(values: Iterator[tuple[Plain, Path]]) -> list[Named]:
    return [(text, path) for text, path in values if isinstance(text, str)]


def _lists(plain: Plain, *patterns: tuple[str, ...]) -> Iterator[list[Named]]:
    """Yield the texts of each list that stands at one of the patterns."""
    for pattern in patterns:
        for entries, path in _find(plain, pattern):
            yield _texts(_find(entries, (ANY,), path))


def _twice(names: list[Named]) -> Iterator[tuple[Named, Named]]:
    """Yield each repetition with the first that bore its name."""
    first: dict[str, Named] = {}
    for name in names:
        if (earlier := first.setdefault(name[0], name)) is not name:
            yield earlier, name


# ── the cross-checks ─────────────────────────────────────────────────────────


def _items(plain: Plain, lines: Lines) -> Iterator[Problem]:
    """Yield the problems inside items whose own values are valid, whatever surrounds them."""
    for raw, path in _find(plain, ITEMS):
        try:
            item = Item.model_validate(raw)
        except ValidationError:
            continue
        for inside, text in _item_problems(item):
            yield Problem(lines.at((*path, *inside)), text)


def _unknown_checks(plain: Plain, lines: Lines, known: Collection[str]) -> Iterator[Problem]:
    ids, near = sorted(known), dict[str, str]()
    names = (name for names in _lists(plain, (*ITEMS, "checks"), *LISTED) for name in names)
    for text, path in names:
        if text in known or not text:
            continue
        if text not in near and len(near) < MOST_SHOWN:  # guessing is slow; no more are shown
            near[text] = did_you_mean(text, ids)
        guess = near.get(text, "")
        instead = f"write `{guess}`" if guess else "delete it, or name a check that exists"
        yield Problem(lines.at(path), f"unknown check {quoted(text)}; {instead}")


def _checks_used_twice(plain: Plain, lines: Lines) -> Iterator[Problem]:
    names = _texts(_find(plain, (*ITEMS, "checks", ANY)))
    for (_, earlier), (text, later) in _twice(names):
        first, second = lines.at(earlier), lines.at(later)
        where = f"on line {first}" if first == second else f"on lines {first} and {second}"
        what = f"check {quoted(text)} earns points twice, {where}"
        yield Problem(second, f"{what}; keep it in one item")


def _deductions(plain: Plain, lines: Lines) -> Iterator[Problem]:
    """Yield severities left empty."""
    [(section, path)] = _find(plain, ("deductions",))
    for severity in ("major", "minor"):
        if isinstance(section, dict) and section.get(severity, 0) is None:
            what = f"`{severity}` is empty, but must be a number"
            yield Problem(lines.at((*path, severity)), f"{what}; write one, or delete the line")


def _codes(plain: Plain, lines: Lines, known: Collection[str] | None) -> Iterator[Problem]:
    """Yield codes that no defect has."""
    for section in ("deductions", "factors"):
        [(codes, path)] = _find(plain, (section, "codes"))
        if known is None or not isinstance(codes, dict):
            continue
        unknown = [code for code in codes if code not in known]
        for code in unknown[:MOST_SHOWN]:  # guessing is slow; no more are shown
            guess = did_you_mean(code, sorted(known))
            instead = f"write `{guess}`" if guess else "delete it, or name a code that exists"
            where = lines.at((*path, code))
            yield Problem(where, f"unknown defect code {quoted(code)}; {instead}")


def _charged(plain: Plain, lines: Lines) -> Iterator[Problem]:
    """Yield `factors` that never count, and a way to charge that has none."""
    [(charge, at)], [(factors, path)] = _find(plain, ("charge",)), _find(plain, ("factors",))
    given = isinstance(factors, dict) and bool(factors)
    if given and charge != "by_centrality":
        what = "`factors` count only with `charge: by_centrality`"
        yield Problem(lines.at(path), f"{what}; write that too, or delete them")
    if charge == "by_centrality" and not given:
        what = "`charge: by_centrality` without `factors` charges nothing"
        yield Problem(lines.at(at), f"{what}; write for example `factors: {{core_idea: 0.5}}`")


def _listed_twice(plain: Plain, lines: Lines) -> Iterator[Problem]:
    for (_, first), (text, path) in (p for names in _lists(plain, *LISTED) for p in _twice(names)):
        what = f"check {quoted(text)} is listed twice, first on line {lines.at(first)}"
        yield Problem(lines.at(path), f"{what}; delete one")


def _ids(plain: Plain, lines: Lines, known: Collection[str]) -> Iterator[Problem]:
    for kind, pattern in (("part", PARTS), ("item", ITEMS), ("dimension", DIMENSIONS)):
        names = _texts(_find(plain, (*pattern, "id")))
        for (_, first), (text, path) in _twice(names):
            what = f"{kind} id {quoted(text)} is taken on line {lines.at(first)}"
            yield Problem(lines.at(path), f"{what}; write another id")
        for text, path in names if kind == "item" else ():
            if text in known:
                what = f"item id {quoted(text)} is the id of a check"
                yield Problem(lines.at(path), f"{what}; write another, such as `{kind}-1`")


def _empty_dimensions(plain: Plain, lines: Lines) -> Iterator[Problem]:
    for dimension, path in _find(plain, DIMENSIONS):
        if isinstance(dimension, dict) and not (dimension.get("checks") or dimension.get("groups")):
            what = "a dimension counts no checks"
            yield Problem(lines.at(path), f"{what}; write `checks: [forward.shapes]`, or `groups`")
        elif isinstance(dimension, dict) and "checks" in dimension and "groups" in dimension:
            what = "a dimension has `checks` or `groups`, not both"
            yield Problem(lines.at((*path, "checks")), f"{what}; move them into a group")


def _bands(plain: Plain, lines: Lines) -> Iterator[Problem]:
    starts = list(_find(plain, ("bands", ANY, "at_least")))
    numbers = [
        (value, path)
        for value, path in starts
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    for (above, _), (value, path) in pairwise(numbers):
        if value >= above:
            what = f"`at_least` is {value:g} after {above:g}, but the bands descend"
            yield Problem(lines.at(path), f"{what}; sort them from the highest to 0")
    if numbers and len(numbers) == len(starts) and numbers[-1][0] != 0:
        value, path = numbers[-1]
        what = f"the last band starts at {value:g}, so lower scores have no name"
        yield Problem(lines.at(path), f"{what}; end with a band `at_least: 0`")
