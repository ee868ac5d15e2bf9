"""Who says how an answer is called: its own submission.yaml, then its course's contract."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from grader.cohort import Engine, Settings
from grader.cohort.course import apply_contract
from grader.intake import take_in
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.observe.zygotes import Zygotes
from grader.records import Result, SourceFile, Submission
from grader.report import render_report, result_json
from grader.rubric import Rubric, parse_contract
from tests.child.binding.language.test_adapter import CLASS, STYLES
from tests.sandbox.confined import linux_only

NAMES = "contract: {title: Names, names: {forward: fwd, verify: agree}}"


def course(text: str = CLASS):
    return parse_contract(text.encode(), "c.yaml")


def handed(names: str = "") -> Submission:
    files = [SourceFile("net.py", (STYLES / "cs231n_class.py").read_bytes())]
    if names:
        files.append(SourceFile("submission.yaml", f"names: {names}".encode()))
    return assemble("a", "a", Read(tuple(files), ()))


def test_without_a_contract_nothing_changes() -> None:
    one = handed()
    assert apply_contract(one, None) is one


def test_the_course_speaks_for_all() -> None:
    told = apply_contract(handed(), course())
    assert json.loads(told.contract)["numpy"]["loss"] == "loss"
    assert apply_contract(handed(), course(NAMES)).names == {"forward": "fwd", "verify": "agree"}


def test_an_answers_own_names_go_before_it_and_a_note_says_so() -> None:
    own = apply_contract(handed("{forward: mine}"), course())
    assert own.contract == ""
    assert own.notes == (
        "submission.yaml names forward: that goes before the contract “CS231n”.",
    )  # fmt: skip
    mixed = apply_contract(handed("{verify: mine}"), course(NAMES))
    assert mixed.names == {"forward": "fwd", "verify": "mine"}
    beside = apply_contract(handed("{verify: mine}"), course())
    assert beside.contract
    assert beside.notes == ()


@pytest.fixture(scope="module")
def result(onsite: Rubric, zygotes: Zygotes) -> Result:
    engine = Engine(replace(onsite, contract=course()), Settings(seed=1), zygotes)
    return engine.grade(take_in(STYLES / "cs231n_class.py"))


@linux_only
def test_an_answer_is_graded_traced_and_shown_under_its_contract(result: Result) -> None:
    failed = {
        c.id
        for c in result.grade.checks
        if c.part in ("forward", "backward") and c.status == "fail"
    }
    assert failed == {"backward.dX", "backward.dX_shape", "backward.own_loss"}
    document = result_json(result)
    assert document["contract"] == {"title": "CS231n", "digest": course().digest}
    assert document["binding"]["numpy"].startswith("as the course's contract has it: net = Two")
    assert any(n.name == "dZ1" and n.line == 36 for n in result.graph if n.part == "numpy")
    page = render_report(result, audience="candidate")
    assert "CS231n" in page
    assert course().digest in page


@linux_only
def test_a_fault_is_named_under_a_contract_as_without(onsite: Rubric, zygotes: Zygotes) -> None:
    text = (STYLES / "cs231n_class.py").read_text()
    wrong = text.replace("dscores /= N", "pass")
    assert wrong != text
    read = Read((SourceFile("net.py", wrong.encode()),), ())
    engine = Engine(replace(onsite, contract=course()), Settings(seed=1), zygotes)
    codes = {d.code for d in engine.grade(assemble("a", "a", read)).defects}
    assert "grad-missing-batch-mean" in codes
