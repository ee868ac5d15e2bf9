"""Debian's Chromium by Playwright: what a page looks like, does, says and asks for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.hostile.browser import OPTIONS, address, find

PHONE, DESKTOP = (390, 844), (1440, 900)
THEMES = ("light", "dark")


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser for a module's tests; raises where there is none (see `tests.hostile.browser`)."""
    options = [o for o in OPTIONS if not o.startswith(("--headless", "--remote"))]
    options += ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find(), args=options)
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page under watch: `said` is what its console said, `asked` what it requested beyond itself."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def opened(
    browser: Browser, file: Path, *, size: tuple[int, int] = DESKTOP, theme: str = "light",
    at: str = "",
) -> Iterator[Opened]:  # fmt: skip
    """A page opened from its file, at the fragment `at`; nothing it says or asks for goes unseen."""
    width, height = size
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
    one = Opened(page)
    page.on("console", lambda message: one.said.append(message.text))
    page.on("pageerror", lambda error: one.said.append(str(error)))
    page.on("request", lambda request: _note(one, request.url))
    page.goto(address(file) + at)
    try:
        yield one
    finally:
        page.close()


def _note(one: Opened, url: str) -> None:
    if urlsplit(url).scheme not in ("file", "data"):
        one.asked.append(url)


def violations(page: Page, *, contrast_in: str = "body") -> list[str]:
    """What axe-core finds, of any impact, with everything unfolded; one line a rule.

    Contrast, which costs most of the time, is measured in `contrast_in`: what many pages
    share need not be measured on each.
    """
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    rules = {"color-contrast": {"enabled": False}}
    return _found(page, "html", {"rules": rules}) + pale(page, contrast_in)


def pale(page: Page, where: str) -> list[str]:
    """Text in `where` without contrast enough in the theme that is on."""
    return _found(page, where, {"runOnly": ["color-contrast"]})


def _found(page: Page, where: str, options: dict[str, object]) -> list[str]:
    run = Axe().run(page, context=where, options=options | {"resultTypes": ["violations"]})
    found = run.response["violations"]
    return [f"{v['id']} ({v['impact']}): {v['nodes'][0]['html'][:200]}" for v in found]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
