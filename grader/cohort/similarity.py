"""Answers with nearly the same source after renaming. A question, no verdict.

The source is read as its syntax tree, without what does nothing: docstrings, dead strings and
other expressions without an effect, annotations, imports; comments and layout are not in it.
Each function is read by itself, so that their order does not matter, and names are numbered by
their first use within a window. What does not parse is read as tokens. Of all windows a MinHash
keeps 64 numbers (Broder, *On the resemblance and containment of documents*, 1997), whose
agreement estimates the shared share of windows; equal bands of them bring likely pairs together
without comparing all.
"""

from __future__ import annotations

import ast
import hashlib
import io
import keyword
import re
import tokenize
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from grader.bundled import PACKAGE
from grader.records import SourceFile, Submission
from grader.report.overview import SimilarGroup
from grader.source.parsing import parsed

STRUCTURE_KEY = "structure"
"""Where `result.json` keeps an answer's sketch."""

WINDOW = 16
"""Words of the tree in a window: about two lines."""

NUMBERS = 64
BANDS = 16
"""A pair that shares 0.8 of its windows meets in one of 16 bands of 4 with 0.9998, one that
shares 0.3 with 0.12; what meets is then compared."""

ALIKE = 0.8
"""Share of windows from which two answers are shown; the estimate's standard error is 0.05.
Of all pairs of the shipped samples half share less than 0.05, 99 in 100 less than 0.17, and
the two nearest 0.72. Each edited token costs a copy of some 100 lines about 0.02."""

FEWEST = 150
"""Windows below which an answer says too little to be compared."""

LONGEST = 60_000
"""Characters of a file's code that are looked at, comments and the insides of strings apart;
the longest shipped sample has 6,000."""

LONGEST_LINE = 400
AT_A_TIME = 4096
"""Windows whose 64 numbers are computed at once: 2 MB."""

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
    digests: set[int] = set()
    for file in submission.files:
        if file.path.endswith(".py") and not (submission.joined and file.path == submission.main):
            digests |= windows(file)
    digests -= _starter_windows()
    if len(digests) < FEWEST:
        return ""
    values = np.fromiter(digests, np.uint64, len(digests)) % PRIME
    scale, shift = _hashes()
    lowest = np.full(NUMBERS, PRIME, np.uint64)
    for at in range(0, len(values), AT_A_TIME):
        some = values[at : at + AT_A_TIME, None]
        lowest = np.minimum(lowest, ((some * scale + shift) % PRIME).min(axis=0))
    return "".join(f"{int(number):0{WIDTH}x}" for number in lowest)


def windows(file: SourceFile) -> set[int]:
    """Return a number for each window of words, the same whatever names are used."""
    code = without_remarks(file.data.decode("utf-8", "replace"))[:LONGEST]
    tree = parsed(code)
    pieces = map(_tree_words, _pieces(tree)) if tree is not None else [_token_words(code)]
    texts = (
        window.encode("utf-8", "replace") for words in pieces for window in _renamed(list(words))
    )
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


# ── what is said beside the code ─────────────────────────────────────────────

COMMENT_LINES = re.compile(r"^[ \t]*#.*\n", re.MULTILINE)
REMARK = re.compile(r"#.*|\"{3}|'{3}|\"|'|\\\n")
ENDS = {quote: re.compile(rf"\\(?s:.)|{quote}") for quote in ('"' * 3, "'" * 3)}
ENDS |= {quote: re.compile(rf"\\(?s:.)|{quote}|\n") for quote in "\"'"}


def without_remarks(text: str) -> str:
    """Return a source without its comments, and its strings without what is in them.

    Takes linear time: nothing is looked at twice. Lines are cut where no code goes on.
    """
    text = COMMENT_LINES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    pieces, at, room = list[str](), 0, LONGEST
    while room > 0 and (remark := REMARK.search(text, at)) is not None:
        pieces.append(text[at : remark.start()])
        room -= remark.start() - at + 1
        at, quote = remark.end(), remark[0]
        if quote in ENDS:
            pieces.append('""')
            at = _end_of_string(text, at, ENDS[quote])
    pieces.append(text[at : at + max(room, 0)])
    return "\n".join(line[:LONGEST_LINE] for line in "".join(pieces).split("\n"))


def _end_of_string(text: str, at: int, ends: re.Pattern[str]) -> int:
    """Return where a string is over that began before `at`; a line's end stays."""
    for _ in range(LONGEST):
        if (found := ends.search(text, at)) is None:
            break
        at = found.end()
        if found[0] == "\n":
            return at - 1
        if not found[0].startswith("\\"):
            return at
    return len(text)


# ── the tree ─────────────────────────────────────────────────────────────────

DOES = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
"""What an expression that stands alone must hold to do anything."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
NOTHING = (ast.Import, ast.ImportFrom, ast.Pass, ast.Global, ast.Nonlocal)


def _pieces(tree: ast.Module) -> list[list[ast.stmt]]:
    """Return each function's statement by itself, methods too, and the rest together."""
    pieces, rest, waiting = list[list[ast.stmt]](), list[ast.stmt](), deque(tree.body)
    while waiting:
        statement = waiting.popleft()
        if isinstance(statement, ast.ClassDef):
            waiting.extendleft(reversed(statement.body))
        elif isinstance(statement, FUNCTIONS):
            pieces.append([statement])
        else:
            rest.append(statement)
    return [*pieces, rest]


def _tree_words(statements: Sequence[ast.stmt]) -> Iterator[tuple[bool, str]]:
    """Yield whether a word may be renamed, and the word, in the order of the source.

    Numbers all read alike; attributes are another's names and stay.
    """
    waiting: list[ast.AST | str] = list(reversed(statements))
    while waiting:
        node = waiting.pop()
        match node:
            case str():
                yield False, node
            case ast.Name(id=name) | ast.arg(arg=name):
                yield True, name
            case ast.Constant(value=value):
                if not isinstance(value, str | bytes):
                    yield False, repr(value) if value is None or isinstance(value, bool) else "0"
            case ast.Attribute(value=inner, attr=name):
                waiting += [f".{name}", inner]
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield False, "def"
                yield True, name
                waiting += [*reversed(node.body), node.args]
            case ast.AnnAssign(target=target, value=value):
                waiting += [part for part in (value, target) if part is not None] + ["Assign"]
            case ast.If(test=ast.Constant(value=value)) if not value:
                waiting += reversed(node.orelse)
            case ast.Expr(value=inner):
                if any(isinstance(part, DOES) for part in ast.walk(inner)):
                    waiting.append(inner)
            case ast.expr_context() | ast.JoinedStr():
                pass
            case _ if not isinstance(node, NOTHING):
                yield False, type(node).__name__
                waiting += reversed(list(ast.iter_child_nodes(node)))


# ── tokens ───────────────────────────────────────────────────────────────────

PASSED_OVER = (
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENCODING, tokenize.ENDMARKER,
    tokenize.INDENT, tokenize.DEDENT, tokenize.STRING,
)  # fmt: skip


def _token_words(text: str) -> Iterator[tuple[bool, str]]:
    """Yield whether a token may be renamed, and its text; numbers all read alike.

    Attributes are another's names and stay.
    """
    before = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in PASSED_OVER:
                continue
            name = token.type == tokenize.NAME and not keyword.iskeyword(token.string)
            if token.type == tokenize.NUMBER:
                yield False, "0"
            else:
                yield name and before != ".", token.string
            before = token.string
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError, MemoryError):
        return  # no Python from here on


def _renamed(words: Sequence[tuple[bool, str]]) -> Iterator[str]:
    """Yield the text of each window; a renamed name is its place among the window's names.

    What is shorter than a window is one by itself.
    """
    known: dict[str, int] = {}
    pieces: list[str] = []
    for at in range(max(len(words) - WINDOW, 0) + 1 if words else 0):
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
    return frozenset(windows(SourceFile(path.name, path.read_bytes())))


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
