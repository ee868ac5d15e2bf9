"""Written answers find their question, wherever they stand; what is unclear claims none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.intake import take_in
from grader.intake.answers import written_answers
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.records import SourceFile

ROOT = Path(__file__).parents[2]

TEXTS = {
    1: "Each layer keeps its input; backward takes the upstream gradient. A sequential container "
    "runs them in reverse, so the same layers are reusable at any depth.",
    2: "Taking off the maximum of each row leaves softmax unchanged: the factor cancels, and exp "
    "cannot overflow.",
    3: "Without zero_grad the second call adds to .grad, so the gradients are doubled.",
    4: "An in-place operation on a tensor that autograd saved raises its version counter.",
    5: "Central differences, a finite difference with a step of 1e-5; compare by relative error "
    "with a tolerance of 1e-7.",
}


def matched(answers: str = "", cells: tuple[str, ...] = (), code: str = "") -> list[int]:
    files = [SourceFile("solution.py", code.encode())] if code else []
    return [a.question for a in written_answers(answers, cells, files)]


@pytest.mark.parametrize("question", TEXTS)
def test_a_text_is_matched_by_its_words_alone(question: int) -> None:
    assert matched(TEXTS[question]) == [question]
    assert matched(cells=(TEXTS[question],)) == [question]
    assert matched(code=f'"""{TEXTS[question]} And so on, as it says in the lecture notes."""') in (
        [question], [],
    ), "in code only what is quite plain"  # fmt: skip


@pytest.mark.parametrize(
    "heading",
    ["## Q{}", "# Question {}", "### Follow-up question {}: about it", "## {}. Of this",
     "## Q{}.", "## Answer to Q{}"],
)  # fmt: skip
def test_a_heading_names_its_question_whatever_the_text_says(heading: str) -> None:
    text = "\n\n".join(f"{heading.format(n)}\n{TEXTS[6 - n]}" for n in TEXTS)
    assert matched(text) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("start", ["Q{}:", "**Q{}**", "Question {} -", "q{}."])
def test_a_line_names_it_too(start: str) -> None:
    text = "\n".join(f"{start.format(n)} I would say that it depends." for n in TEXTS)
    assert matched(text) == [1, 2, 3, 4, 5]
    comment = "\n".join(f"# {line}" for line in text.splitlines())
    assert matched(code=f"import numpy as np\n\n{comment}\nx = 1\n") == [1, 2, 3, 4, 5]
    assert matched(code=f'def f():\n    pass\n\n\n"""\n{text}\n"""\n') == [1, 2, 3, 4, 5]


def test_what_two_questions_could_claim_is_left_to_neither() -> None:
    assert matched(f"{TEXTS[2]} {TEXTS[5]}") == [0]
    assert matched("I did not get to this, sorry.") == [0]


def test_a_heading_without_text_is_an_empty_answer() -> None:
    (answer,) = written_answers("## Q3\n", (), ())
    assert (answer.question, answer.text, answer.where) == (3, "", "answers.md")


def test_of_all_shipped_sources_one_comment_is_an_answer() -> None:
    """It says that the factor is the same above and below, and what exp cannot do then."""
    sources = [*ROOT.glob("submissions/*/solution.py"), ROOT / "reference" / "solution.py"]
    assert len(sources) > 60
    found = {path.parent.name: matched(code=path.read_text()) for path in sources}
    assert {name: q for name, q in found.items() if q} == {"bjorn-halvorsen": [2]}


def test_the_reference_answers_all_five() -> None:
    written = take_in(ROOT / "reference").written
    assert [a.question for a in written if a.question] == [1, 2, 3, 4, 5]
    assert written[-1].text.startswith("Central differences")


def test_a_notebook_answers_in_its_text_cells() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# My solution\n"]},
        {"cell_type": "code", "source": "def forward(): pass"},
        {"cell_type": "markdown", "source": f"### Question 2\n{TEXTS[2]}"},
        {"cell_type": "markdown", "source": TEXTS[4]},
    ]
    data = json.dumps({"cells": cells}).encode()
    submission = assemble("id", "name", Read((SourceFile("work.ipynb", data),), ()))
    assert [a.question for a in submission.written if a.question] == [2, 4]
    assert submission.written[-1].where == "a text cell"


def test_a_flood_of_headings_is_cut() -> None:
    assert len(written_answers("## Q1\ntext\n" * 1000, (), ())) == 40
    (answer,) = written_answers("## Q1\n" + "x" * 100_000, (), ())
    assert len(answer.text) == 20_000
