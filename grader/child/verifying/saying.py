"""What a run of somebody's verification says: by return, by raising, in print, by comparing.

Child's side. A verdict is read from the difference between two runs, one on a pair that
agrees and one on a pair that does not: then the words need not be understood, only counted.
"""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_TEXT = 1 << 16
MAX_ITEMS = 10_000
MAX_DEPTH = 4

CHANGED = 1e-7
"""A number that differs by more than this, absolutely and relatively, is another number:
rounding is 1e-16 in float64 and 1e-8 of a gradient of 0.1 in float32."""

GOOD_WORDS = """
    true ok okay pass passed passes match matches matched matching agree agrees agreed equal
    equals correct good yes success successful identical close fine ✓ ✔ ✅ 👍
"""
BAD_WORDS = """
    false fail failed fails failure mismatch mismatched mismatches error errors wrong incorrect
    bad no not differ differs different disagree disagrees exceeds ✗ ✘ ❌ ✕
"""
GOOD, BAD = frozenset(GOOD_WORDS.split()), frozenset(BAD_WORDS.split())
PLAIN_NO = BAD - {"error", "errors", "no", "not", "different", "exceeds"}
"""Words that hardly occur beside good news: "relative error 1e-16" is no objection."""

WORD = re.compile(r"[^\W\d_]+|[✓✔✅👍✗✘❌✕]")
RETURN, RAISE, PRINT, NUMBER, COMPARISON = WAYS = (
    *("return", "raise", "print", "number", "comparison"),
)


class Heard(io.StringIO):
    """Takes what is printed, up to `MAX_TEXT` characters."""

    def write(self, text: str) -> int:
        room = MAX_TEXT - self.tell()
        super().write(text[: max(0, room)])
        return len(text)


@dataclass(frozen=True)
class Said:
    """One run: its return value taken apart, or what it raised, and what it printed meanwhile.

    `raised` names what raised, `objects` whether that is a verdict. `truths` are the booleans
    of each place, in the order in which they arose. `where` is the line of the last raising,
    `heard` what was printed.
    """

    raised: frozenset[str]
    objects: bool
    booleans: tuple[bool, ...]
    numbers: tuple[float, ...]
    texts: tuple[str, ...]
    good: int
    bad: int
    plain_no: int
    truths: Mapping[int, list[bool]]
    where: tuple[str, int] = ("", 0)
    heard: str = ""


def said(
    value: Any, errors: list[tuple[str, BaseException]], text: str, truths: Mapping[int, Any]
) -> Said:
    """A run's outcome: what `verify` gave, or what it, or which statements of a script, raised.

    `sys.exit()` without an error is no raising. A script's statement that fails, for want of
    a file say, is no verdict, but a failed assertion is one.
    """
    real = [(w, e) for w, e in errors if not (isinstance(e, SystemExit) and e.code in (None, 0))]
    leaves = list(_leaves(value, MAX_DEPTH))
    texts = tuple(leaf for leaf in leaves if isinstance(leaf, str))
    words = WORD.findall(" ".join((text, *texts)).lower())
    return Said(
        frozenset(f"{what}: {type(error).__name__}" for what, error in real),
        any(what == "verify" or isinstance(error, AssertionError) for what, error in real),
        tuple(leaf for leaf in leaves if isinstance(leaf, bool)),
        tuple(leaf for leaf in leaves if isinstance(leaf, float)),
        texts,
        sum(word in GOOD for word in words),
        sum(word in BAD for word in words),
        sum(word in PLAIN_NO for word in words),
        truths,
        _where(real[-1][1] if real else None),
        text,
    )


def _where(error: BaseException | None) -> tuple[str, int]:
    """File and line of the innermost frame; the judge keeps it if the file is the submission's."""
    trace, where = (None if error is None else error.__traceback__), ("", 0)
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if not name.startswith(("/", "<")):  # a submission's files have relative paths
            where = (name, trace.tb_lineno)
        trace = trace.tb_next
    return where


def _leaves(value: Any, depth: int) -> Iterator[bool | float | str]:
    """Booleans, numbers and texts in nested containers; an array of booleans is one of them."""
    if isinstance(value, bool | np.bool_):
        yield bool(value)
    elif isinstance(value, str):
        yield value[:MAX_TEXT]
    elif isinstance(value, int | float | np.number):
        yield float(np.real(value))
    elif hasattr(value, "detach"):
        yield from _leaves(value.detach().cpu().numpy(), depth)
    elif isinstance(value, np.ndarray):
        if value.dtype.kind == "b":
            yield bool(value.all())
        elif value.dtype.kind in "fiu":
            yield from map(float, value.reshape(-1)[:MAX_ITEMS])
    elif depth == 0 or value is None:
        return
    elif isinstance(value, Mapping):
        yield from _all(list(value.values()), depth)
    elif isinstance(value, tuple | list | set | frozenset):
        yield from _all(list(value), depth)
    elif dataclasses.is_dataclass(value):
        yield from _all([getattr(value, f.name, None) for f in dataclasses.fields(value)], depth)


def _all(items: list[Any], depth: int) -> Iterator[bool | float | str]:
    for item in items[:MAX_ITEMS]:
        yield from _leaves(item, depth - 1)


def objects(run: Said) -> bool:
    """Whether a run says no by itself; in print, only where it says nothing good beside it."""
    if run.objects:
        return True
    if run.booleans:
        return not all(run.booleans)
    return run.plain_no > 0 and run.good == 0


def refused(before: Said, after: Said) -> str:
    """By what `after` refuses what `before`, on a pair that agrees, did not; "" if it accepts.

    A returned boolean is the verdict, whatever is printed beside it. Where none is returned
    the reader is meant to look: at a number, at a word, at last at a comparison.
    """
    if after.raised - before.raised:
        return RAISE
    if before.booleans:
        return "" if after.booleans and all(after.booleans) else RETURN
    if after.booleans and not all(after.booleans):
        return RETURN
    if _numbers_changed(before.numbers, after.numbers):
        return NUMBER
    if len(before.texts) != len(after.texts):
        return RETURN
    if after.bad > before.bad or after.good < before.good:
        return PRINT
    return COMPARISON if flipped(before, after) is not None else ""


def _numbers_changed(before: tuple[float, ...], after: tuple[float, ...]) -> bool:
    if len(before) != len(after):
        return True
    pairs = zip(before, after, strict=True)
    return any(not abs(b - a) <= CHANGED * (1.0 + abs(a)) for a, b in pairs if a == a)


def flipped(before: Said, after: Said) -> int | None:
    """The first place, in the order of running, whose comparisons turned out otherwise.

    A run that ends early compares less: that counts only where nothing else differs.
    """
    shared = [(n, t, after.truths[n]) for n, t in before.truths.items() if n in after.truths]
    for number, old, new in shared:
        if any(a != b for a, b in zip(old, new, strict=False)):
            return number
    return next((number for number, old, new in shared if len(old) != len(new)), None)
