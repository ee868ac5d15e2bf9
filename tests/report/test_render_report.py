"""The report shows what matters, links hold, and a stranger's text stays text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from grader.records import Charge, Ended, Observation, Result, SourceFile
from grader.report import render_report
from grader.report.escape import HIDDEN

FIXTURES = ("usual", "pictured", "hostile", "undecided", "unloadable")
VOID = {"meta", "link", "input", "img", "br", "hr", "rect", "source"}


class Page(HTMLParser):
    """Elements, attributes, ids, links and text of a page; complains of bad nesting."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text += data

    @property
    def ids(self) -> list[str]:
        return [a["id"] or "" for _, a in self.tags if "id" in a]

    @property
    def fragments(self) -> set[str]:
        hrefs = [a.get("href") or "" for tag, a in self.tags if tag == "a"]
        return {href[1:] for href in hrefs if href.startswith("#")}


@pytest.mark.parametrize("audience", ["interviewer", "candidate"])
@pytest.mark.parametrize("name", FIXTURES)
def test_page_is_whole_and_inert(name: str, audience: str, request: pytest.FixtureRequest) -> None:
    html = render_report(request.getfixturevalue(name), audience=audience)  # type: ignore[arg-type]
    html.encode("utf-8")
    assert not HIDDEN.search(html)
    page = Page(html)
    names = [tag for tag, _ in page.tags]
    assert (names.count("script"), names.count("style"), names.count("h1")) == (1, 1, 1)
    assert names.count("main") == 1
    assert not {"img", "iframe", "object", "form", "base"} & set(names)
    for tag, attributes in page.tags:
        assert not [a for a in attributes if a.startswith("on") or a == "style"], tag
        target = attributes.get("href") or attributes.get("src") or "#"
        assert target.startswith(("#", "data:")), target
    assert len(page.ids) == len(set(page.ids))
    assert page.fragments <= set(page.ids)
    for _, attributes in page.tags:
        for name_of in ("aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name_of) or "").split()) <= set(page.ids)


def test_policy_admits_exactly_the_inline_style_and_script(usual: Result) -> None:
    html = render_report(usual, audience="interviewer")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy and policy[1].startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        inline = re.search(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert inline
        digest = base64.b64encode(hashlib.sha256(inline[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]


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


def test_lines_of_defects_and_frames_are_marked(usual: Result) -> None:
    html = render_report(usual, audience="interviewer")
    for anchor, tone in (("L29", "major"), ("L30", "major"), ("L37", "minor"), ("L10", "trace")):
        assert re.search(f'<div class="line {tone}(?: told)?" id="{anchor}">', html)


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


def test_a_real_size_source_stays_small(usual: Result) -> None:
    text = usual.submission.source * 3
    submission = replace(usual.submission, files=(SourceFile("solution.py", text.encode()),))
    html = render_report(replace(usual, submission=submission), audience="interviewer")
    assert len(html.encode()) < 200_000


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
