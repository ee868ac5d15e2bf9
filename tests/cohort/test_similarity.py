"""Answers built alike: renaming and layout hide nothing, other answers stay apart, nothing crashes."""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path

import pytest

from grader.bundled import PACKAGE
from grader.cohort import similarity
from grader.cohort.similarity import ALIKE, Budget, groups, sketch, windows
from grader.intake import take_in
from grader.records import SourceFile, Submission

ROOT = Path(__file__).resolve().parents[2]
NEAREST = ("bruno-carvalho", "diego-ramirez")
"""The shipped samples that share most: 0.73 of their windows, and are not shown."""

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
        f"def f{i}(a, b{i % 7}):\n    return a.x{i} + b{i % 7}.y{i % 5} * {i}\n" for i in range(60)
    )
    numbers = sketch(answer("x", text))
    assert numbers[:32] == "0006891100106e5c0009a0a7004a2b42"
    assert hashlib.sha256(numbers.encode()).hexdigest()[:16] == "d1f72ca72baecf8a"


def test_what_was_handed_out_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "FEWEST", 1)
    assert sketch(answer("x", "x = [1, 2, 3, 4, 5, 6, 7, 8, 9]\n")) != ""
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
    budget = Budget()
    windows(SourceFile("solution.py", b"x = " + b"+-" * 100_000), budget)
    assert budget.kept == 0
