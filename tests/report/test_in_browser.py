"""The report in a real browser: accessible in both themes, linked, quiet, on phones and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from grader.records import Result
from grader.report import render_report
from grader.report.views import Audience
from tests.hostile import browser as installed
from tests.report.chromium import (
    DESKTOP,
    PHONE,
    THEMES,
    chromium,
    opened,
    overflow,
    pale,
    violations,
)

pytestmark = pytest.mark.skipif(
    not installed.find(), reason="NO BROWSER: install chromium, or what pages do in one goes unseen"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


def written(result: Result, folder: Path, audience: Audience = "interviewer") -> Path:
    file = folder / "report.html"
    file.write_text(render_report(result, audience=audience), encoding="utf-8")
    return file


@pytest.mark.parametrize("theme", THEMES)
def test_accessible_and_quiet(
    theme: str, browser: Browser, tmp_path: Path, pictured: Result
) -> None:
    with opened(browser, written(pictured, tmp_path), theme=theme) as one:
        assert violations(one.page) == []
        assert (one.said, one.asked) == ([], [])


@pytest.mark.parametrize(
    ("kind", "contrast_in"),
    [("undecided", ".top"), ("unloadable", "#runs"), ("hostile", ".top")],
)
def test_strange_pages_are_accessible_and_quiet_too(
    kind: str,
    contrast_in: str,
    browser: Browser,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    with opened(browser, written(request.getfixturevalue(kind), tmp_path)) as one:
        assert violations(one.page, contrast_in=contrast_in) == []
        one.page.emulate_media(color_scheme="dark")
        assert pale(one.page, contrast_in) == []
        assert (one.said, one.asked) == ([], [])


def test_the_candidates_page_on_a_phone(browser: Browser, tmp_path: Path, pictured: Result) -> None:
    file = written(pictured, tmp_path, "candidate")
    with opened(browser, file, size=PHONE, theme="dark") as one:
        assert violations(one.page, contrast_in=".top") == []
        assert overflow(one.page) == 0
        assert (one.said, one.asked) == ([], [])


def test_axe_and_the_watch_would_see_it(browser: Browser, tmp_path: Path) -> None:
    """The control: a page with what the others must not have."""
    file = tmp_path / "bad.html"
    file.write_text(
        "<html><body style='width:3000px'><img src='http://127.0.0.1:9/x'>"
        "<p style='color:#ccc;background:#fff'>pale</p><script>nothing.here()</script>",
        encoding="utf-8",
    )
    with opened(browser, file) as one:
        found = " ".join(violations(one.page))
        assert "color-contrast" in found
        assert "image-alt" in found
        assert any("nothing is not defined" in words for words in one.said)
        assert one.asked == ["http://127.0.0.1:9/x"]
        assert overflow(one.page) > 0


@pytest.mark.parametrize("at", ["#check-backward.dW1", "#check-forward.loss", "#L12", "#network"])
def test_a_deep_link_unfolds_and_shows_its_place(
    at: str, browser: Browser, tmp_path: Path, usual: Result
) -> None:
    with opened(browser, written(usual, tmp_path), at=at) as one:
        place = one.page.locator(f"[id='{at[1:]}']")
        assert place.is_visible()
        assert place.evaluate(
            "(e) => { const b = e.getBoundingClientRect(); return b.top >= -1 && b.top < innerHeight; }"
        )
        assert place.evaluate("(e) => e.tagName !== 'DETAILS' || e.open")


def test_a_lines_number_makes_its_link(browser: Browser, tmp_path: Path, usual: Result) -> None:
    with opened(browser, written(usual, tmp_path)) as one:
        one.page.locator("#L20 .ln").click()
        assert one.page.url.endswith("#L20")


def test_the_keyboard_reaches_the_content_and_opens_folds(
    browser: Browser, tmp_path: Path, usual: Result
) -> None:
    with opened(browser, written(usual, tmp_path)) as one:
        one.page.keyboard.press("Tab")
        assert one.page.evaluate("document.activeElement.textContent") == "Skip to the content"
        one.page.keyboard.press("Enter")
        assert one.page.evaluate("document.activeElement.id") == "main"
        fold = one.page.locator("details.check.fail").first
        fold.locator("summary").focus()
        one.page.keyboard.press("Enter")
        assert fold.evaluate("(e) => e.open")


def test_every_size_fits_its_window(browser: Browser, tmp_path: Path, pictured: Result) -> None:
    file = written(pictured, tmp_path)
    for size in ((320, 700), PHONE, (768, 1024), DESKTOP):
        with opened(browser, file, size=size) as one:
            assert overflow(one.page) == 0, size


def test_on_paper_what_fails_is_unfolded_and_nothing_is_for_clicking(
    browser: Browser, tmp_path: Path, pictured: Result
) -> None:
    with opened(browser, written(pictured, tmp_path)) as one:
        one.page.emulate_media(media="print")
        one.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert not one.page.locator("nav.toc").is_visible()
        assert one.page.locator("[id='check-backward.dW1'] .evidence").is_visible()
        assert len(one.page.pdf()) > 20_000


def test_it_reads_without_script(browser: Browser, tmp_path: Path, usual: Result) -> None:
    file = written(replace(usual, submission=replace(usual.submission, name="Ada")), tmp_path)
    page = browser.new_page(java_script_enabled=False)
    page.goto(installed.address(file))
    assert page.locator("h1").inner_text() == "Ada"
    page.get_by_text("Show the 24 passed").click()
    assert page.locator("[id='check-forward.loss']").is_visible()
    page.close()
