"""The report shows what matters, links hold, and a stranger's text stays text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from grader.records import Charge, Ended, Observation, Result, SourceFile
from grader.report import render_report
from tests.report.rendered import Page


def test_verdict_and_deep_links(usual: Result) -> None:
    page = Page(render_report(usual, audience="interviewer"))
    assert "78.5 / 85" in page.text
    assert "Strong" in page.text
    assert "15 points are open" in page.text
    assert "Half: formulas without a derivation." in page.text
    assert {"check-backward.dW1", "check-forward.loss", "L12", "L29"} <= set(page.ids)
    assert {"defect-batch-mean-missing", "L29", "L19"} <= page.fragments
    assert "grader grade ada-lovelace --seed 8112263554" in page.text
    assert ".DS_Store" in page.text
    assert "seccomp" in page.text


def test_failed_checks_come_first_and_passed_ones_are_folded(usual: Result) -> None:
    html = render_report(usual, audience="interviewer")
    assert html.index('id="check-forward.underflow"') < html.index('id="check-forward.runs"')
    assert '<article class="check fail" id="check-forward.underflow"' in html
    assert '<details class="check pass" id="check-forward.loss">' in html


def test_what_a_defect_explains_is_folded_below_what_none_does(usual: Result) -> None:
    html = render_report(usual, audience="interviewer")
    assert '<details class="check fail" id="check-backward.dW1">' in html
    assert html.index('id="check-forward.underflow"') < html.index('id="check-backward.dW1"')
    assert "4 checks fail because of a defect that is named above:" in html


def test_gravest_defect_first(usual: Result) -> None:
    html = render_report(usual, audience="interviewer")
    major, minor = (html.index(f'id="defect-{c}"') for c in ("batch-mean-missing", "cache-extra"))
    assert major < minor


def words(html: str) -> str:
    """The text of a page with its white space folded."""
    return " ".join(Page(html).text.split())


@pytest.mark.parametrize("audience", ["interviewer", "candidate"])
def test_one_bug_is_seen_to_be_charged_once(usual: Result, audience: str) -> None:
    html = render_report(usual, audience=audience)  # type: ignore[arg-type]
    text = words(html)
    assert text.count("Wrong only because of batch-mean-missing") == 3
    under = "given back: charged once, under batch-mean-missing and relu-mask-not-strict"
    assert text.count(f"+4.25 {under}") == 1
    assert text.count("given back") == 1, "only where something was"
    assert text.count("costs 6 points") == 1
    link = '<a class="code-chip" href="#defect-batch-mean-missing">batch-mean-missing</a>'
    assert html.count(link) == 5, "three checks, an item of the rubric, and the network"


def test_the_cost_stands_with_the_first_defect_of_a_code(usual: Result) -> None:
    again = replace(usual.defects[1], line=31)
    html = render_report(replace(usual, defects=(*usual.defects, again)), audience="interviewer")
    assert html.count("costs 6 points") == 1
    assert html.index("costs 6 points") < html.index('id="defect-batch-mean-missing-2"')


@pytest.mark.parametrize(("points", "said"), [(0.0, "costs nothing"), (1.0, "costs 1 point<")])
def test_a_small_cost_reads_well(usual: Result, points: float, said: str) -> None:
    grade = replace(usual.grade, charges=(Charge("cache-extra", points),))
    assert said in render_report(replace(usual, grade=grade), audience="candidate")


def test_a_waiting_check_waits_because_of_a_defect(usual: Result) -> None:
    checks = tuple(replace(c, explained_by=("cache-extra",)) for c in usual.grade.checks)
    html = render_report(
        replace(usual, grade=replace(usual.grade, checks=checks)), audience="candidate"
    )
    assert "Waiting only because of cache-extra" in words(html)


def test_candidate_is_not_told_what_the_next_one_should_not_know(usual: Result) -> None:
    page = Page(render_report(usual, audience="candidate"))
    for secret in ("8112263554", "seccomp", "Half: formulas", "0.031882", "10000.0", "Expected"):
        assert secret not in page.text
    assert "0.159410" in page.text
    assert "The derivation is sound" in page.text


def test_undecided_shows_the_fault_and_no_score(undecided: Result) -> None:
    page = Page(render_report(undecided, audience="interviewer"))
    assert "Undecided: the grader failed, not the candidate" in page.text
    assert "The zygote for the PyTorch part died" in page.text
    assert "given back" not in page.text
    assert "costs" not in page.text
    assert "0 / 85" not in page.text
    assert not re.search(r"\b0(\.0)? +/ ", page.text)


def test_hostile_text_is_shown_as_text(hostile: Result) -> None:
    page = Page(render_report(hostile, audience="interviewer"))
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert "\\x1b[31mred" in page.text
    assert "\\u202egnp.exe" in page.text
    assert page.text.count("UNISOLATED") == 1


def test_no_stamp_when_confined(usual: Result) -> None:
    assert "UNISOLATED" not in render_report(usual, audience="candidate")


def test_floods_are_cut(usual: Result) -> None:
    flood = "x = 1\n" * 400_000
    submission = replace(usual.submission, files=(SourceFile("solution.py", flood.encode()),))
    process = replace(usual.observations.numpy, output=flood)
    runs = {
        f"forward/{n}": Observation(Ended.RAISED, error=f"E{n}: {flood}", traceback=flood)
        for n in range(50)
    }
    observations = replace(usual.observations, numpy=process, runs=runs)
    huge = replace(usual, submission=submission, observations=observations)
    assert len(render_report(huge, audience="interviewer").encode()) < 8_000_000


def test_written_answers_keep_their_headings(usual: Result) -> None:
    html = render_report(usual, audience="candidate")
    assert "<h3>Q1</h3>" in html
    assert "<p>The loss is a mean, so 1/B enters once, in dZ2.</p>" in html


def test_a_bonus_of_which_nothing_could_be_graded_is_no_zero(usual: Result) -> None:
    parts = tuple(
        replace(
            part,
            items=tuple(
                replace(item, points=0.0, max_points=0.0) if item.bonus else item
                for item in part.items
            ),
        )
        for part in usual.grade.parts
    )
    page = render_report(
        replace(usual, grade=replace(usual.grade, parts=parts)), audience="interviewer"
    )
    row = page[page.index("Raw logits") :]
    assert '<span class="soft">not graded</span>' in row[: row.index("</li>")]
    assert "not graded" not in render_report(usual, audience="interviewer")


def test_the_page_says_at_its_head_what_was_not_read(usual: Result) -> None:
    words = "data.py is not read, only run: it has more than 256 kB"
    submission = replace(usual.submission, left_out=(words,))
    page = render_report(replace(usual, submission=submission), audience="interviewer")
    assert words in page.partition("</header>")[0]
    assert "left-out" not in render_report(usual, audience="interviewer")
