"""Answers built alike: renaming and layout hide nothing, other answers stay apart, nothing crashes."""

from __future__ import annotations

import ast
import hashlib
import re
import time
from pathlib import Path

import pytest

from grader.bundled import PACKAGE
from grader.cohort import similarity
from grader.cohort.similarity import ALIKE, groups, sketch, windows
from grader.intake import take_in
from grader.records import SourceFile, Submission

ROOT = Path(__file__).resolve().parents[2]
NEAREST = ("bruno-carvalho", "diego-ramirez")
"""The shipped samples that share most: 0.72 of their windows, and are not shown."""

SAMPLES = ("ada-okafor", "bjorn-halvorsen", "chiara-lombardi", "kenji-tanaka", *NEAREST)


def answer(id: str, text: str) -> Submission:
    return Submission(id, id, "", (SourceFile("solution.py", text.encode()),), "solution.py")


@pytest.fixture(scope="module")
def original() -> str:
    return (ROOT / "submissions/kenji-tanaka/solution.py").read_text()


def renamed(text: str) -> str:
    """Every variable with another name, other comments and strings, other layout."""
    for old, new in (("Z1", "pre"), ("H1", "hid"), ("dZ2", "g2"), ("cache", "saved"), ("B", "n")):
        text = re.sub(rf"\b{old}\b", new, text)
    text = re.sub(r"#.*", "# mine", text).replace("    ", "\t")
    return "\n\n".join(text.split("\n"))


def test_renaming_and_layout_hide_nothing(original: str) -> None:
    copied = renamed(original)
    assert copied != original
    assert sketch(answer("b", copied)) == sketch(answer("a", original)) != ""


def nothing_after_each_line(text: str) -> str:
    lines = text.split("\n")
    ends = (line[-1:] in tuple(")]") and line.startswith("    ") for line in lines)
    return "\n".join(
        f"{line};0" if end and fits else line
        for line, end, fits in zip(
            lines, ends, (compiles(text, n) for n in range(len(lines))), strict=True
        )
    )


def compiles(text: str, number: int) -> bool:
    lines = text.split("\n")
    lines[number] += ";0"
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:
        return False
    return True


def functions_backwards(text: str) -> str:
    tree = ast.parse(text)
    defined = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    others = [n for n in tree.body if not isinstance(n, ast.FunctionDef)]
    return ast.unparse(ast.Module([*others, *reversed(defined)], []))


DISGUISES = {
    "comments": lambda text: "# nothing here\n" * 14_000 + text,
    "comments behind": lambda text: text.replace("\n", "  # " + "x" * 2000 + "\n"),
    "a dead string": lambda text: '"""' + "All of this is said.\n" * 10_000 + '"""\n' + text,
    "nothing": nothing_after_each_line,
    "order": functions_backwards,
    "dead code": lambda text: text.replace("\ndef ", "\nif 0:\n    print(1, 2, 3)\n\n'no'\n(1, 'x')\ndef "),
    "annotations": lambda text: text.replace(
        "backward(cache):", "backward(cache: dict[str, list[int]]) -> 'dict[str, int]':"
    ),
    "names": renamed,
}  # fmt: skip


@pytest.mark.parametrize("how", DISGUISES)
def test_no_disguise_hides_a_copy(how: str, original: str) -> None:
    copied = DISGUISES[how](original)
    assert copied != original
    (found,) = groups({"a": sketch(answer("a", original)), "b": sketch(answer("b", copied))})
    assert found.share >= 0.95


@pytest.mark.parametrize(
    "text", ["'" * 600_000, '"' + '\\"' * 300_000, "#\n" * 300_000, "x+" * 300_000]
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    started = time.process_time()
    sketch(answer("a", text))
    assert time.process_time() - started < 3.0


def test_a_copy_with_an_edit_is_found_and_others_are_not(original: str) -> None:
    edited = renamed(original) + "\n\ndef extra(a, b):\n    return [a + b * 2, a - b, {a: b}]\n"
    sketches = {name: sketch(take_in(ROOT / "submissions" / name)) for name in SAMPLES}
    assert all(sketches.values())
    assert groups(sketches) == []
    found = groups(sketches | {"copied": sketch(answer("copied", edited))})
    assert [set(one.ids) for one in found] == [{"kenji-tanaka", "copied"}]
    assert ALIKE <= found[0].share < 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1\n",
        "(" * 100_000,
        "[" * 5_000 + "]" * 5_000,
        "x = " + "-" * 50_000 + "1",
        "if 1:\n" + "".join(" " * n + "if 1:\n" for n in range(1, 500)),
        "def f(:\n  '''never closed",
        "\x00\ud800 \x0c".encode("utf-8", "surrogatepass").decode("utf-8", "replace") * 50,
        "f'{" * 2_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_no_source_harms_the_judge(text: str) -> None:
    assert len(sketch(answer("x", text))) in (0, 512)


def test_the_numbers_stay_what_they_were_in_earlier_runs() -> None:
    """Results that are kept are compared with new ones: another way to count makes all differ."""
    text = "".join(
        f"def f{i}(a, b{i % 7}):\n    return a.x{i} + b{i % 7}.y{i % 5} * {i}\n" for i in range(200)
    )
    numbers = sketch(answer("x", text))
    assert numbers[:32] == "0094182601198f570035092000d20f25"
    assert hashlib.sha256(numbers.encode()).hexdigest()[:16] == "6b6b2682e5b9e66f"


def test_what_was_handed_out_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "FEWEST", 1)
    assert sketch(answer("x", f"x = {list(range(20))}\n")) != ""
    assert sketch(answer("x", (PACKAGE / "starter" / "solution.py").read_text())) == ""


def test_a_large_cohort_costs_far_less_than_all_pairs() -> None:
    """5,000 answers, one in five a copy of one: 12 million pairs."""
    import random

    rng = random.Random(3)
    sketches = {
        f"s{n}": "".join(f"{rng.getrandbits(31):08x}" for _ in range(64)) for n in range(5_000)
    }
    sketches |= {f"s{n}": sketches["s0"] for n in range(1_000)}
    begun = time.process_time()
    (found,) = groups(sketches)
    assert len(found.ids) == 1_000
    assert found.share == 1.0
    assert time.process_time() - begun < 5.0


def test_a_copy_behind_comments_is_found_and_a_flood_of_tokens_ends() -> None:
    def one(data: bytes) -> Submission:
        return Submission("a", "a", "", (SourceFile("solution.py", data),), "solution.py")

    source = (PACKAGE.parent / "reference" / "solution.py").read_bytes()
    hidden = b"# some words of no weight\n" * 8_000 + source
    assert list(groups({"a": sketch(one(source)), "b": sketch(one(hidden))}))
    flood = SourceFile("solution.py", b"x = " + b"+-" * 100_000)
    assert len(windows(flood)) <= similarity.LONGEST
