"""Versions of a submission in a real child: each by itself, none believed further than asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from grader.intake import take_in
from grader.observe.observe import Allowance
from grader.observe.trial import MAX_VERSIONS, Answer, trials
from grader.problem import set_paper
from grader.records import SourceFile, Submission
from grader.sandbox.pool import Zygote
from tests.problem.network import answers
from tests.sandbox.confined import linux_only

REFERENCE = take_in(Path(__file__).parents[2] / "reference")
SOURCE = REFERENCE.source.encode()
PAPER = set_paper(3)
CASES = [PAPER.cases["primes"], PAPER.cases["square"]]
DIVIDED, UNDIVIDED = b"dZ2 / len(y)", b"dZ2 / 1"
KEYS = {(case.name, name) for case in CASES for name in ("loss", "W1", "b1", "W2", "b2", "X")}


def tried(
    zygote: Zygote,
    versions: Sequence[bytes],
    side: str = "numpy",
    submission: Submission = REFERENCE,
    path: str = "solution.py",
    seconds: float = 10.0,
) -> list[Answer]:
    with trials(submission, CASES, side, PAPER.noise, zygote, Allowance(seconds)) as opened:
        assert opened is not None
        return opened.try_all(path, versions)


def right(answer: Answer) -> bool:
    wanted = {case.name: answers(**case.inputs) for case in CASES}
    return answer.keys() == KEYS and all(
        np.allclose(answer[case, name], wanted[case]["loss" if name == "loss" else f"d{name}"])
        for case, name in KEYS
    )


@linux_only
def test_each_version_answers_for_itself(numpy_zygote: Zygote) -> None:
    assert SOURCE.count(DIVIDED) == 1
    wrong = SOURCE.replace(DIVIDED, UNDIVIDED)
    broken = SOURCE.replace(DIVIDED, b"dZ2 @ W1 @ W1")
    versions = [SOURCE, wrong, broken, b"x = (", SOURCE + b"\nraise SystemExit(3)\n", SOURCE]
    good, off, raising, unparsable, leaving, again = tried(numpy_zygote, versions)
    assert right(good) and right(leaving) and right(again)
    assert off.keys() == KEYS and not right(off)
    assert np.allclose(off["primes", "W2"], good["primes", "W2"] * len(CASES[0].y))
    assert raising.keys() == {(case.name, "loss") for case in CASES}
    assert unparsable == {}


@linux_only
def test_more_versions_than_one_request_holds(numpy_zygote: Zygote) -> None:
    versions = [SOURCE] * MAX_VERSIONS + [SOURCE.replace(DIVIDED, UNDIVIDED)]
    assert [right(a) for a in tried(numpy_zygote, versions)] == [True] * MAX_VERSIONS + [False]


@linux_only
def test_the_pytorch_part(torch_zygote: Zygote) -> None:
    assert b"cross_entropy(" in SOURCE
    doubled = SOURCE.replace(b"loss.backward()", b"(2 * loss).backward()")
    good, off = tried(torch_zygote, [SOURCE, doubled], "torch")
    assert right(good) and not right(off)


@linux_only
def test_what_adds_up_shows_in_the_second_answer(numpy_zygote: Zygote) -> None:
    total = b"\nfirst, seen = backward, []\ndef backward(cache):\n    seen.append(1)\n    return {n: g * len(seen) for n, g in first(cache).items()}\n"
    spoils = b"\nother = forward\ndef forward(X, *rest):\n    given = other(X, *rest)\n    X *= 2\n    return given\n"
    wanted = answers(**CASES[0].inputs)
    added, spoiled = tried(numpy_zygote, [SOURCE + total, SOURCE + spoils])
    np.testing.assert_allclose(added["primes", "W1"], 2 * wanted["dW1"])
    assert not np.allclose(spoiled["primes", "loss"], wanted["loss"])


@linux_only
def test_a_version_of_a_neighbour(numpy_zygote: Zygote) -> None:
    here, there = b"from net import forward, backward\n", SOURCE
    files = (SourceFile("solution.py", here), SourceFile("net.py", there))
    both = Submission("id", "name", "sha256:0", files, "solution.py")
    wrong = there.replace(DIVIDED, UNDIVIDED)
    found = tried(numpy_zygote, [there, wrong, there], submission=both, path="net.py")
    assert [right(a) for a in found] == [True, False, True]


@linux_only
def test_a_version_that_hangs_ends_the_child_and_no_more(numpy_zygote: Zygote) -> None:
    started = time.monotonic()
    hangs = SOURCE + b"\ndef backward(cache):\n    while True: pass\n"
    assert tried(numpy_zygote, [SOURCE, hangs], seconds=0.5) == [{}, {}]
    assert time.monotonic() - started < 30, "it would last for ever"


@linux_only
def test_an_answer_of_any_size_is_bounded(numpy_zygote: Zygote) -> None:
    huge = (
        SOURCE
        + b"\ndef backward(cache):\n    return {n: np.zeros((1000, 1000)) for n in ('W1', 'b1')}\n"
    )
    big, good = tried(numpy_zygote, [huge, SOURCE])
    assert big == {} and right(good)
