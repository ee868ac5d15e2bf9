"""Many threads parse at once, and each gets its tree."""

from __future__ import annotations

import ast
import gc
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.source.parsing import parse, parse_expression, parsed

ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / "reference" / "solution.py").read_bytes()
JUDGE = sorted(
    path
    for room in ("checks", "diagnosis", "intake", "report", "scoring", "cohort")
    for path in (ROOT / "grader" / room).rglob("*.py")
)


class _Garbage:
    """What the collector finds while a tree is built, and lets other threads go on for."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        time.sleep(0.001)


@pytest.fixture
def eager_collector() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(10)
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("eager_collector")
def test_threads_that_parse_at_once_all_get_the_tree() -> None:
    def parsed(_: int) -> int:
        for _ in range(3):
            _Garbage()
        return len(parse(SOURCE, "solution.py").body)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(parsed, range(100))) == {len(ast.parse(SOURCE).body)}


def test_what_does_not_parse_raises_and_leaves_the_way_free() -> None:
    for _ in range(3):
        with pytest.raises(SyntaxError, match="was never closed"):
            parse("f(", "solution.py")
    assert isinstance(parse_expression("a + b"), ast.BinOp)


def test_the_judge_parses_nowhere_else() -> None:
    """Whoever calls `ast.parse` by itself brings the error back, rarely and under load only."""
    assert len(JUDGE) > 50
    alone = [str(p) for p in JUDGE if re.search(r"\bast\.parse\(", p.read_text())]
    assert alone == []


@pytest.mark.parametrize(
    "data",
    [
        b"def f(:",
        b"x = 1\0",
        b"# coding: nothing-of-the-kind\nx = 1",
        b"\xff\xfe",
        b"x = " + b"(" * 5000 + b")" * 5000,
        b"x = " + b"-" * 100_000 + b"1",
        b"x = " + b"a." * 20_000 + b"a",
    ],
    ids=lambda d: repr(d[:20]),
)
def test_what_does_not_parse_within_the_limits_has_no_tree(data: bytes) -> None:
    assert parsed(data) is None


def test_an_invalid_escape_says_nothing(recwarn: pytest.WarningsRecorder) -> None:
    assert parsed(b"x = '\\d'") is not None
    assert [w for w in recwarn if w.category is SyntaxWarning] == []
