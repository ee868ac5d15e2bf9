"""Answers with nearly the same source after renaming. A question, no verdict.

The source is read as tokens, which cannot nest and so cannot crash a parser. Names are
numbered by their first use within a window of tokens, comments, strings and layout dropped:
renaming and reformatting change nothing. Of all windows a MinHash keeps 64 numbers (Broder,
*On the resemblance and containment of documents*, 1997), whose agreement estimates the shared
share of windows; equal bands of them bring likely pairs together without comparing all.
"""

from __future__ import annotations

import hashlib
import io
import keyword
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from grader.bundled import PACKAGE
from grader.limits import SKETCH_LOOKED_AT, SKETCH_TOKENS
from grader.records import SourceFile, Submission
from grader.report.overview import SimilarGroup

STRUCTURE_KEY = "structure"
"""Where `result.json` keeps an answer's sketch."""

WINDOW = 16
"""Tokens in a window: about two lines."""

NUMBERS = 64
BANDS = 16
"""A pair that shares 0.8 of its windows meets in one of 16 bands of 4 with 0.9998, one that
shares 0.3 with 0.12; what meets is then compared."""

ALIKE = 0.8
"""Share of windows from which two answers are shown; the estimate's standard error is 0.05.
Of all pairs of the shipped samples half share less than 0.05, 99 in 100 less than 0.25, and
the two nearest 0.73. Each edited token costs a copy of some 100 lines about 0.02."""

FEWEST = 150
"""Windows below which an answer says too little to be compared."""

AT_ONCE = 1 << 12
"""Windows that are hashed at once: 2 MB of numbers."""

PRIME = (1 << 31) - 1
WIDTH = 8
"""Hexadecimal digits of one number."""

REPRESENTATIVES = 4
"""With how many of a bucket's groups a newcomer is compared: keeps a bucket's cost linear."""


def sketch(submission: Submission) -> str:
    """Return the answer's 64 numbers in hexadecimal; "" when there is too little to compare.

    What every candidate was handed (the starter) is left out. Never raises: a source that is
    no Python has the windows up to where it stops being read.
    """
    digests, budget = set[int](), Budget()
    for file in sorted(submission.files, key=lambda f: f.path != submission.main):
        if file.path.endswith(".py") and not (submission.joined and file.path == submission.main):
            digests |= windows(file, budget)
    digests -= _starter_windows()
    if len(digests) < FEWEST:
        return ""
    values = np.fromiter(digests, np.uint64, len(digests)) % PRIME
    scale, shift = _hashes()
    lowest = np.full(NUMBERS, PRIME, np.uint64)
    for start in range(0, len(values), AT_ONCE):
        some = values[start : start + AT_ONCE, None]
        lowest = np.minimum(lowest, ((some * scale + shift) % PRIME).min(axis=0))
    return "".join(f"{int(number):0{WIDTH}x}" for number in lowest)


@dataclass
class Budget:
    """Tokens of an answer that are still compared, and that are passed through."""

    kept: int = SKETCH_TOKENS
    passed: int = SKETCH_LOOKED_AT


def windows(file: SourceFile, budget: Budget) -> set[int]:
    """Return a number for each window of tokens, the same whatever names are used."""
    text = file.data.decode("utf-8", "replace")
    texts = (window.encode("utf-8", "replace") for window in _renamed(list(_words(text, budget))))
    return {int.from_bytes(hashlib.blake2b(text, digest_size=6).digest()) for text in texts}


def groups(sketches: Mapping[str, str]) -> list[SimilarGroup]:
    """Return answers built alike, the largest group first; `sketches` by id, "" is passed over.

    Cost is linear in the number of answers: a bucket's newcomer is compared with few of it.
    """
    rows = {id: _numbers(text) for id, text in sketches.items() if text}
    leader = {id: id for id in rows}
    for bucket in _buckets(rows):
        heads: list[str] = []
        for id in bucket:
            head_of_id = _find(leader, id)
            for head in heads:
                if head_of_id != head and _share(rows[id], rows[head]) >= ALIKE:
                    leader[head_of_id] = _find(leader, head)
                    break
            else:
                if len(heads) < REPRESENTATIVES and head_of_id not in heads:
                    heads.append(head_of_id)
    members: dict[str, list[str]] = {}
    for id in rows:
        members.setdefault(_find(leader, id), []).append(id)
    similar = [
        SimilarGroup(tuple(ids), min(_share(rows[head], rows[id]) for id in ids))
        for head, ids in members.items()
        if len(ids) > 1
    ]
    return sorted(similar, key=lambda one: (-len(one.ids), -one.share, one.ids))


# ── tokens ───────────────────────────────────────────────────────────────────

PASSED_OVER = (
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENCODING, tokenize.ENDMARKER,
    tokenize.INDENT, tokenize.DEDENT, tokenize.STRING,
)  # fmt: skip


def _words(text: str, budget: Budget) -> Iterator[tuple[bool, str]]:
    """Yield whether a token may be renamed, and its text; numbers all read alike.

    Attributes are another's names and stay.
    """
    before = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            budget.passed -= 1
            if budget.passed < 0 or budget.kept <= 0:
                return
            if token.type in PASSED_OVER:
                continue
            budget.kept -= 1
            name = token.type == tokenize.NAME and not keyword.iskeyword(token.string)
            if token.type == tokenize.NUMBER:
                yield False, "0"
            else:
                yield name and before != ".", token.string
            before = token.string
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError, MemoryError):
        return  # no Python from here on


def _renamed(words: Sequence[tuple[bool, str]]) -> Iterator[str]:
    """Yield the text of each window; a renamed name is its place among the window's names."""
    known: dict[str, int] = {}
    pieces: list[str] = []
    for at in range(len(words) - WINDOW + 1):
        if at > 0 and not words[at - 1][0]:  # no name left the window: all keep their places
            pieces = [*pieces[1:], _piece(words[at + WINDOW - 1], known)]
        else:
            known = {}
            pieces = [_piece(word, known) for word in words[at : at + WINDOW]]
        yield "\0".join(pieces)


def _piece(word: tuple[bool, str], known: dict[str, int]) -> str:
    renamed, text = word
    return f"\1{known.setdefault(text, len(known))}" if renamed else text


@cache
def _starter_windows() -> frozenset[int]:
    """Return the windows of the starter, which everybody may have."""
    path = PACKAGE / "starter" / "solution.py"
    return frozenset(windows(SourceFile(path.name, path.read_bytes()), Budget()))


# ── numbers ──────────────────────────────────────────────────────────────────

Numbers = NDArray[np.uint32]


@cache
def _hashes() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return a and b of the 64 hash functions (a x + b) mod p, the same in every run."""
    rng = np.random.default_rng(20)
    scale = rng.integers(1, PRIME, NUMBERS, dtype=np.uint64)
    return scale, rng.integers(0, PRIME, NUMBERS, dtype=np.uint64)


def _numbers(text: str) -> Numbers:
    pieces = [int(text[at : at + WIDTH], 16) for at in range(0, NUMBERS * WIDTH, WIDTH)]
    return np.array(pieces, np.uint32)


def _share(a: Numbers, b: Numbers) -> float:
    return float((a == b).mean())


def _buckets(rows: Mapping[str, Numbers]) -> Iterator[list[str]]:
    """Yield ids that agree in a whole band, two or more together."""
    height = NUMBERS // BANDS
    for band in range(BANDS):
        buckets: dict[bytes, list[str]] = {}
        for id, numbers in rows.items():
            key = numbers[band * height : (band + 1) * height].tobytes()
            buckets.setdefault(key, []).append(id)
        yield from (bucket for bucket in buckets.values() if len(bucket) > 1)


def _find(leader: dict[str, str], id: str) -> str:
    """Return the head of an answer's group; the way there is shortened."""
    while leader[id] != id:
        leader[id] = leader[leader[id]]
        id = leader[id]
    return id
