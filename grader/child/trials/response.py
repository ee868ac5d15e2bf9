"""What a run of the candidate's check says: by return, by raising, in print, by comparing.

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

from grader.child.reports import NOWHERE, Place, Refusal

MAX_TEXT = 1 << 16
MAX_ITEMS = 10_000
MAX_DEPTH = 4

CHANGED = 1e-7
"""A number that differs by more than this, absolutely and relatively, is another number:
rounding is 1e-16 in float64 and 1e-8 of a gradient of 0.1 in float32."""

PRINTED_CHANGED = 1e-3
"""Relative: a printed number that differs by more than this is another number."""

FAULT = 1e-4
"""A relative error above which a number may mean a wrong gradient; a rough step gives less."""

NOISE, GROWN = 1e-6, 10.0
"""What differences may be off by, and by how much more a printed error must grow to be one."""

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
PRINTED = re.compile(r"[-+]?\d*\.?\d+(?:e[-+]?\d+)?", re.IGNORECASE)


class Capture(io.StringIO):
    """Takes what is printed, up to `MAX_TEXT` characters."""

    def write(self, text: str) -> int:
        room = MAX_TEXT - self.tell()
        super().write(text[: max(0, room)])
        return len(text)


@dataclass(frozen=True)
class Response:
    """One run: its return value taken apart, or what it raised, and what it printed meanwhile.

    `raised` names what raised, `refuses` whether that is a verdict. `truths` are the booleans
    of each place, in the order in which they arose. `place` is the line of the last raising.
    """

    raised: frozenset[tuple[int, str]]
    refuses: bool
    booleans: tuple[bool, ...]
    numbers: tuple[float, ...]
    texts: tuple[str, ...]
    good: int
    bad: int
    plain_no: int
    truths: Mapping[int, list[bool]]
    place: Place = NOWHERE
    output: str = ""

    @property
    def objects(self) -> bool:
        """Return whether it says no by itself; in print, only with nothing good beside it."""
        if self.refuses:
            return True
        if self.booleans:
            return not all(self.booleans)
        return self.plain_no > 0 and self.good == 0

    @property
    def printed(self) -> list[float]:
        """Return the numbers in what was printed."""
        return [float(match[0]) for match in PRINTED.finditer(self.output)]


def response(
    value: Any, errors: list[tuple[int, BaseException]], text: str, truths: Mapping[int, Any]
) -> Response:
    """Return a run's outcome: what the check gave, and what was raised by which statement.

    `errors` holds the line of a script's statement, 0 for a check, and what it raised.
    `sys.exit()` without an error is no raising. A script's statement that fails, for want of
    a file say, is no verdict, but a failed assertion is one.
    """
    real = [(n, e) for n, e in errors if not (isinstance(e, SystemExit) and e.code in (None, 0))]
    leaves = list(_leaves(value, MAX_DEPTH))
    texts = tuple(leaf for leaf in leaves if isinstance(leaf, str))
    words = WORD.findall(" ".join((text, *texts)).lower())
    return Response(
        frozenset((line, type(error).__name__) for line, error in real),
        any(line == 0 or isinstance(error, AssertionError) for line, error in real),
        tuple(leaf for leaf in leaves if isinstance(leaf, bool)),
        tuple(leaf for leaf in leaves if isinstance(leaf, float)),
        texts,
        sum(word in GOOD for word in words),
        sum(word in BAD for word in words),
        sum(word in PLAIN_NO for word in words),
        truths,
        _innermost(real[-1][1] if real else None),
        text,
    )


def _innermost(error: BaseException | None) -> Place:
    """Return file and line of the submission's innermost frame."""
    trace, place = (None if error is None else error.__traceback__), NOWHERE
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if not name.startswith(("/", "<")):  # a submission's files have relative paths
            place = (name, trace.tb_lineno)
        trace = trace.tb_next
    return place


def _leaves(value: Any, depth: int) -> Iterator[bool | float | str]:
    """Yield booleans, numbers and texts in containers; an array of booleans is one boolean."""
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
    elif depth > 0 and value is not None:
        for item in _items(value)[:MAX_ITEMS]:
            yield from _leaves(item, depth - 1)


def _items(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, tuple | list | set | frozenset):
        return list(value)
    if dataclasses.is_dataclass(value):
        return [getattr(value, entry.name, None) for entry in dataclasses.fields(value)]
    return []


# ── two responses side by side ───────────────────────────────────────────────


def refusal(before: Response, after: Response) -> Refusal | None:
    """Return how `after` refuses what `before`, on a pair that agrees, did not; None if it accepts.

    A returned boolean is the verdict, whatever is printed beside it. Where none is returned
    the reader is meant to look: at a number, at a word, at last at a comparison.
    """
    if after.raised - before.raised:
        return Refusal.RAISE
    if before.booleans:
        return None if after.booleans and all(after.booleans) else Refusal.RETURN
    if after.booleans and not all(after.booleans):
        return Refusal.RETURN
    if _changed(before.numbers, after.numbers, CHANGED, 1.0):
        return Refusal.NUMBER
    if len(before.texts) != len(after.texts):
        return Refusal.RETURN
    if after.bad > before.bad or after.good < before.good:
        return Refusal.PRINT
    return None if flipped(before, after) is None else Refusal.COMPARISON


def printed_refusal(before: Response, after: Response) -> Refusal | None:
    """Return the same where numbers are printed to be read, as by a check by differences."""
    if (by := refusal(before, after)) or before.booleans:
        return by
    changed = _changed(before.printed, after.printed, PRINTED_CHANGED, 1e-6, nan=True)
    return Refusal.PRINT if changed else None


def _changed(old: Any, new: Any, limit: float, room: float, *, nan: bool = False) -> bool:
    """Return whether a number differs by more than `limit` × (`room` + its magnitude).

    One that is NaN from the start counts only with `nan`.
    """
    if len(old) != len(new):
        return True
    pairs = zip(old, new, strict=True)
    return any(not abs(b - a) <= limit * (room + abs(a)) for a, b in pairs if nan or a == a)


def has_grown(before: Response, after: Response) -> bool:
    """Return whether a printed number was nearly 0 and is no more.

    Where a gradient is 1 % off, that is an error; otherwise it may be an entry of the gradient.
    """
    old, new = before.printed, after.printed
    pairs = zip(old, new, strict=False)
    grown = (abs(a) <= FAULT and not abs(b) <= GROWN * max(abs(a), NOISE) for a, b in pairs)
    return len(old) == len(new) and any(grown)


def flipped(before: Response, after: Response) -> int | None:
    """Return the first place, in the order of running, whose comparisons turned out otherwise.

    A run that ends early compares less: that counts only where nothing else differs.
    """
    shared = [(n, t, after.truths[n]) for n, t in before.truths.items() if n in after.truths]
    for number, old, new in shared:
        if any(a != b for a, b in zip(old, new, strict=False)):
            return number
    return next((number for number, old, new in shared if len(old) != len(new)), None)
