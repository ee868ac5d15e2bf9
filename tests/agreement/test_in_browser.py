"""The page in a real browser: accessible in both themes, on a phone, quiet, and to be printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from grader.agreement.comparison import Comparison
from grader.agreement.page import render_agreement
from tests.hostile import browser as installed
from tests.report.chromium import DESKTOP, PHONE, THEMES, chromium, opened, overflow, violations

pytestmark = pytest.mark.skipif(
    not installed.find(), reason="NO BROWSER: install chromium, or what pages do in one goes unseen"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def file(comparison: Comparison, tmp_path: Path) -> Path:
    page = tmp_path / "agree.html"
    page.write_text(render_agreement(comparison, "Spring", Path("marks.json")), "utf-8")
    return page


@pytest.mark.parametrize("theme", THEMES)
def test_accessible_and_quiet(theme: str, browser: Browser, file: Path) -> None:
    for size in (DESKTOP, PHONE):
        with opened(browser, file, size=size, theme=theme) as one:
            assert violations(one.page) == []
            assert overflow(one.page) == 0
            assert (one.said, one.asked) == ([], [])


def test_by_keyboard(browser: Browser, file: Path, comparison: Comparison) -> None:
    with opened(browser, file) as one:
        one.page.keyboard.press("Tab")
        one.page.keyboard.press("Enter")
        assert one.page.evaluate("document.activeElement.id") == "main"
        for _ in range(2):  # the table, which scrolls, and its first link
            one.page.keyboard.press("Tab")
        href = one.page.evaluate("document.activeElement.getAttribute('href')")
        assert href == comparison.furthest[0].href


def test_print_shows_all_columns(browser: Browser, file: Path) -> None:
    with opened(browser, file, size=(780, 1100)) as one:
        one.page.emulate_media(media="print")
        assert overflow(one.page) == 0


def test_a_caption_has_the_width_of_a_phone(browser: Browser, file: Path) -> None:
    with opened(browser, file, size=PHONE) as one:
        captions = one.page.locator("caption:not(.hidden)").all()
        widths = [box["width"] for caption in captions if (box := caption.bounding_box())]
        assert len(widths) == 2
        assert min(widths) > 250
