"""Two reviewers in two real browsers: what one saves the other sees, and the pages are for all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.hostile import browser as installed
from tests.report.chromium import DESKTOP, PHONE, THEMES, chromium, overflow, pale, violations
from tests.review.conftest import ANSWERED, OTHER
from tests.review.serving import Served

pytestmark = pytest.mark.skipif(
    not installed.find(), reason="NO BROWSER: install chromium, or reviewing in one goes untested"
)

MARKUP = "<img src=x onerror=alert(1)> “good”"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


class Desk:
    """A reviewer's browser, with a profile of its own: the page, and what its console said."""

    def __init__(self, page: Page, served: Served) -> None:
        self.page, self.served = page, served
        self.said: list[str] = []
        self.elsewhere: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not url.startswith((self.served.address, "data:")):
            self.elsewhere.append(url)

    def at(self, id: str, who: str = "") -> Desk:
        self.page.goto(f"{self.served.address}s/{id}")
        if who:
            self.page.fill("#who", who)
            self.page.locator("#who").blur()
        return self

    def form(self, field: str) -> Locator:
        return self.page.locator(f'form[data-field="{field}"]')

    def give(self, field: str, points: str, note: str = "") -> Locator:
        form = self.form(field)
        form.locator("[name=points]").fill(points)
        form.locator("[name=note]").fill(note)
        form.get_by_role("button", name="Save", exact=True).click()
        return form


@contextmanager
def desk(
    browser: Browser, served: Served, *, size: tuple[int, int] = DESKTOP, theme: str = "light"
) -> Iterator[Desk]:
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
    try:
        yield Desk(context.new_page(), served)
    finally:
        context.close()


@pytest.mark.parametrize("theme", THEMES)
def test_accessible_and_quiet(theme: str, browser: Browser, server: Served) -> None:
    with desk(browser, server, theme=theme) as one:
        one.page.goto(server.address)
        assert violations(one.page) == []
        one.at(ANSWERED)
        assert violations(one.page, contrast_in=".mark-side") == []
        assert pale(one.page, ".walk") == pale(one.page, "#remark") == []
        assert (one.said, one.elsewhere) == ([], [])


def test_it_fits_a_phone(browser: Browser, server: Served) -> None:
    with desk(browser, server, size=PHONE) as one:
        one.page.goto(server.address)
        assert overflow(one.page) == 0
        one.at(ANSWERED)
        assert overflow(one.page) == 0


def test_a_mark_is_saved_counted_and_there_after_a_reload(browser: Browser, server: Served) -> None:
    with desk(browser, server) as one:
        one.at(ANSWERED, "Ada")
        before = one.page.locator("#total").inner_text()
        form = one.form("mark/followup-q1")
        form.locator("[name=ticked]").nth(1).check()
        expect(form.locator(".notice")).to_have_text("Not saved yet.")
        one.give("mark/followup-q1", "1.5", MARKUP)
        expect(form.locator(".notice")).to_contain_text("Saved by Ada")
        after = one.page.locator("#total").inner_text()
        assert after != before
        one.page.reload()
        assert one.page.locator("#total").inner_text() == after
        assert form.locator("[name=ticked]").nth(1).is_checked()
        assert form.locator("[name=note]").input_value() == MARKUP
        assert one.page.locator("#who").input_value() == "Ada", "the browser remembers the name"
        assert MARKUP in one.page.locator("#history").inner_text()
        assert one.page.locator("img").count() == 0, "markup stays text"
        assert one.said == []


def test_two_browsers_on_one_submission_lose_nothing(browser: Browser, server: Served) -> None:
    field = "mark/followup-q2"
    with desk(browser, server) as ada, desk(browser, server, theme="dark") as bob:
        ada.at(OTHER, "Ada")
        bob.at(OTHER, "Bob")
        mine = bob.form(field)
        mine.locator("[name=points]").fill("2")
        theirs = ada.give(field, "1", "from Ada")
        expect(theirs.locator(".notice")).to_contain_text("Saved by Ada")
        expect(mine.locator(".notice")).to_contain_text("Ada gave 1 of 2 points", timeout=15_000)
        assert mine.locator("[name=points]").input_value() == "2", "what he typed is his"
        mine.get_by_role("button", name="Save", exact=True).click()
        expect(mine.locator(".notice")).to_contain_text("Not saved")
        assert violations(bob.page, contrast_in=f'form[data-field="{field}"]') == []
        mine.get_by_role("button", name="Save mine").click()
        expect(mine.locator(".notice")).to_contain_text("Saved by Bob")
        expect(theirs.locator("[name=points]")).to_have_value("2", timeout=15_000)
        expect(theirs.locator(".notice")).to_contain_text("Saved by Bob")
    told = [change["words"] for change in server.state(OTHER)["history"] if "Q2" in change["words"]]
    assert [words.split(": ")[2][:1] for words in told] == ["2", "1"], "both are in the history"


def test_a_check_is_overridden_and_taken_back(browser: Browser, server: Served) -> None:
    with desk(browser, server) as one:
        one.at(OTHER, "Ada")
        before = one.page.locator("#total").inner_text()
        field = "check/backward.batch_mean"
        one.page.evaluate(
            "document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"
        )
        form = one.form(field)
        form.locator("[name=status]").select_option("fail")
        form.get_by_role("button", name="Save", exact=True).click()
        expect(form.locator(".notice")).to_contain_text("reason cannot be saved")
        form.locator("[name=reason]").fill("read it")
        form.get_by_role("button", name="Save", exact=True).click()
        expect(form.locator(".notice")).to_contain_text("Saved by Ada")
        assert one.page.locator("#total").inner_text() != before
        form.get_by_role("button", name="Take back").click()
        expect(form.locator(".notice")).to_contain_text("Taken back by Ada")
        assert one.page.locator("#total").inner_text() == before


def test_a_line_is_commented_on(browser: Browser, server: Served) -> None:
    with desk(browser, server) as one:
        one.at(ANSWERED, "Ada")
        one.page.locator("[data-line='7'] .ln").first.click()
        assert one.page.locator("#remark-line").input_value() == "7"
        one.page.locator("#remark-text").fill(MARKUP)
        one.page.get_by_role("button", name="Comment", exact=True).click()
        note = one.page.locator("[data-line='7'] + .remarked")
        expect(note).to_contain_text(MARKUP)
        one.page.reload()
        expect(note).to_contain_text(MARKUP)
        note.get_by_role("button").click()
        expect(note).to_have_count(0)


def test_the_walk_goes_by_keyboard_and_typing_is_not_walking(
    browser: Browser, server: Served
) -> None:
    with desk(browser, server) as one:
        page = one.page
        page.goto(server.address)
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/s/{ANSWERED}")
        page.locator("#who").press("j")
        assert page.url.endswith(ANSWERED)
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        page.wait_for_url(f"**/s/{OTHER}")
        page.keyboard.press("m")
        assert page.evaluate("document.activeElement.name") == "points"
        page.keyboard.press("Escape")
        page.keyboard.press("k")
        page.wait_for_url(f"**/s/{ANSWERED}")
        page.keyboard.press("i")
        page.wait_for_url(server.address)


def test_without_the_server_it_is_said_that_nothing_was_saved(
    browser: Browser, server: Served
) -> None:
    with desk(browser, server) as one:
        one.at(ANSWERED, "Ada")
        one.page.route("**/changes*", lambda route: route.abort())
        form = one.give("mark/followup-q4", "1")
        expect(form.locator(".notice")).to_contain_text("Not saved: the grader does not answer")
        assert form.locator("[name=points]").input_value() == "1"
