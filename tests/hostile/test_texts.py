"""No expression that meets a stranger's text takes more than its share for a longer one.

All compiled expressions of the judge's modules are found by looking at those, so a new one is
tested as well. Each is searched for in texts made of its own letters, on which it comes close
to a match many times; twice the text may not take much more than twice the time.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import grader

ROOT = Path(grader.__file__).parent

CONFINED = ("grader.child", "grader.starter", "grader._bundled")
"""What runs beside the stranger's code has the child's clock."""

SIZE, SUSPICIOUS = 4_000, 0.005
"""Characters of a text, and the processor seconds above which longer ones are tried: linear
expressions take a tenth of it, quadratic ones ten times as much."""

MOST = 3.0
"""Times as long for twice the text, with room for a busy machine; quadratic time takes 4 times."""

DOUBLINGS, RUNS = 2, 2


def expressions() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    """Yield every compiled expression of the judge's modules, with its place."""
    for module in pkgutil.walk_packages(grader.__path__, "grader."):
        if module.name.startswith((*CONFINED, "grader.__main__")):
            continue
        try:
            loaded = importlib.import_module(module.name)
        except ModuleNotFoundError as error:  # of an optional part
            if (error.name or "").startswith("grader"):
                raise
            continue
        for name, value in vars(loaded).items():
            yield from ((f"{module.name}.{name}", found) for found in _patterns(value))


def inline() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    """Yield the expressions that stand in calls such as `re.search("…", text)`, with their place."""
    for path in sorted(ROOT.rglob("*.py")):
        module = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        if module.startswith(CONFINED):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="re"), attr=attr),
                    args=[ast.Constant(value=str() | bytes() as text), *_],
                ) if attr != "compile":
                    whole = attr in ("match", "fullmatch")
                    yield (
                        f"{module}, line {node.lineno}",
                        re.compile(_begun(text) if whole else text),
                    )


def _begun(text: str | bytes) -> str | bytes:
    """Return an expression that only fits at the start of a text."""
    if isinstance(text, bytes):
        return b"^(?:" + text + b")"
    flags = "(?i)" if text.startswith("(?i)") else ""
    return f"{flags}^(?:{text.removeprefix('(?i)')})"


def _patterns(value: object, depth: int = 3) -> Iterator[re.Pattern[str] | re.Pattern[bytes]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, dict):
        for inner in value.values():
            yield from _patterns(inner, depth - 1)
    elif depth and isinstance(value, tuple | list):
        for inner in value:
            yield from _patterns(inner, depth - 1)


EVERY = {f"{at}: {found.pattern!r}": found for at, found in (*expressions(), *inline())}

WORD = re.compile(r"\\.|[A-Za-z_]+|[^\w\s]")
COMMON = (
    " ",
    "\n",
    "\t",
    "x",
    "_",
    "0",
    "1",
    "#",
    "a ",
    "a.",
    "(",
    "[",
    "/",
    "x/",
    " \n",
    "é",
    '"',
)


def pieces(pattern: re.Pattern[str] | re.Pattern[bytes]) -> set[str]:
    """Return what near misses can be made of: the expression's own words and signs."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
    words = {w for w in WORD.findall(text) if not w.startswith("\\")}
    signs = {w[1:] for w in WORD.findall(text) if len(w) == 2 and not w[1].isalnum()}
    return {*words, *signs, *(f"{w} " for w in words if w.isalpha()), *COMMON}


def repeated(pattern: re.Pattern[str] | re.Pattern[bytes]) -> Iterator[tuple[str, str]]:
    """Yield what a text begins with, and what then comes over and over."""
    own = sorted(pieces(pattern))
    starts = ["", *(w for w in own if w not in COMMON)]
    yield from ((start, piece) for start in starts for piece in own)
    yield from ((start + " ", piece) for start in starts for piece in COMMON)


def text_of(start: str, piece: str, size: int) -> str:
    """Return a text of about `size` characters that ends in what fits nothing."""
    return start + piece * (size // len(piece)) + "\x01"


def seconds(pattern: re.Pattern[str] | re.Pattern[bytes], text: str) -> float:
    """Return the processor time to find all there is, from the start and anywhere."""
    data = text if isinstance(pattern.pattern, str) else text.encode()
    began = time.process_time()
    pattern.match(data)  # type: ignore[arg-type]
    for _ in pattern.finditer(data):  # type: ignore[arg-type]
        pass
    return time.process_time() - began


def grows(pattern: re.Pattern[str] | re.Pattern[bytes]) -> str:
    """Return a text on which the time grows faster than its length, "" where there is none."""
    for start, piece in repeated(pattern):
        if seconds(pattern, text_of(start, piece, SIZE)) < SUSPICIOUS:
            continue
        spent = [
            min(seconds(pattern, text_of(start, piece, SIZE << more)) for _ in range(RUNS))
            for more in range(DOUBLINGS + 1)
        ]
        if spent[0] > SUSPICIOUS / 2 and spent[-1] > spent[0] * MOST**DOUBLINGS:
            return f"{start!r} + {piece!r} * n: {', '.join(f'{s:.4f} s' for s in spent)}"
    return ""


def test_it_finds_what_grows() -> None:
    assert grows(re.compile(r"a\s*\.?\s*b"))
    assert grows(re.compile(r"def\s+\w*(?:grad\w*check|check\w*grad)"))
    assert not grows(re.compile(r"a\s*+\.?\s*+b"))


def test_the_expressions_are_found() -> None:
    assert sum("intake.answers" in at for at in EVERY) > 8
    assert any("source.shapes.claims" in at for at in EVERY)


@pytest.mark.slow
@pytest.mark.parametrize("at", EVERY)
def test_an_expression_takes_linear_time(at: str) -> None:
    assert not grows(EVERY[at])
