"""The cohort's page in a real browser: sorts, finds and filters, stays quick with thousands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from grader.records import Result
from grader.report import result_json, write_index
from grader.report.overview import SimilarGroup, outline
from tests.hostile import browser as installed
from tests.report.chromium import PHONE, THEMES, chromium, opened, overflow, violations

pytestmark = pytest.mark.skipif(
    not installed.find(), reason="NO BROWSER: install chromium, or what pages do in one goes unseen"
)

MANY = 5_000
LARGEST = 3_000_000
SLOWEST = 1_000.0
"""Milliseconds of processor time until a page of `MANY` answers; some 200 were measured."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


def _named(document: dict[str, Any], id: str, name: str, **changes: Any) -> dict[str, Any]:
    return document | {"submission": {"id": id, "name": name}} | changes


@pytest.fixture
def documents(usual: Result, undecided: Result, hostile: Result) -> list[dict[str, Any]]:
    good = outline(result_json(usual))
    return [
        _named(good, "ada", "Ada Lovelace"),
        _named(good, "ada-10", "Ada 10", score=70.0),
        _named(good, "ada-9", "ada 9", score=80.0, defects=[], checks=[], reasons=[]),
        _named(outline(result_json(undecided)), "bob", "Bob"),
        outline(result_json(replace(hostile))) | {"reasons": ["rules"]},
    ]


def index(documents: list[dict[str, Any]], folder: Path) -> Path:
    file = folder / "index.html"
    with file.open("w", encoding="utf-8") as stream:
        alike = [SimilarGroup(("ada", "ada-9"), 0.91)]
        write_index(documents, "Spring", stream, {"Rubric": "x"}, alike)
    return file


def names(page: Page) -> list[str]:
    return [name[:12] for name in page.locator("#cohort tbody th a").all_inner_texts()]


def press(page: Page, header: str) -> None:
    page.locator(f"#cohort [data-id={header}] button").press("Enter")


@pytest.mark.parametrize("theme", THEMES)
def test_accessible_and_quiet(
    theme: str, browser: Browser, tmp_path: Path, documents: list[dict[str, Any]]
) -> None:
    with opened(browser, index(documents, tmp_path), theme=theme) as one:
        assert one.page.locator("#cohort tbody tr").count() == len(documents)
        assert violations(one.page) == []
        one.page.fill("#find", "nobody at all")
        assert one.page.locator("#none").is_visible()
        assert violations(one.page) == []
        assert (one.said, one.asked) == ([], [])


def test_it_fits_a_phone(browser: Browser, tmp_path: Path, documents: list[dict[str, Any]]) -> None:
    with opened(browser, index(documents, tmp_path), size=PHONE) as one:
        assert overflow(one.page) == 0
        assert violations(one.page) == []


def test_sorting_by_keyboard_leaves_the_undecided_last(
    browser: Browser, tmp_path: Path, documents: list[dict[str, Any]]
) -> None:
    with opened(browser, index(documents[:4], tmp_path)) as one:
        press(one.page, "score")
        assert names(one.page) == ["ada 9", "Ada Lovelace", "Ada 10", "Bob"]
        press(one.page, "score")
        assert names(one.page) == ["Ada 10", "Ada Lovelace", "ada 9", "Bob"]
        header = one.page.locator("#cohort [data-id=score]")
        assert header.get_attribute("aria-sort") == "ascending"
        press(one.page, "name")
        assert names(one.page) == ["ada 9", "Ada 10", "Ada Lovelace", "Bob"]
        assert header.get_attribute("aria-sort") is None


def test_finding_and_filtering(
    browser: Browser, tmp_path: Path, documents: list[dict[str, Any]]
) -> None:
    with opened(browser, index(documents[:4], tmp_path)) as one:
        page = one.page
        page.fill("#find", "ADA batch-mean")
        assert sorted(names(page)) == ["Ada 10", "Ada Lovelace"]
        assert page.locator("#shown").inner_text() == "2 of 4 shown"
        page.fill("#find", "")
        page.select_option("#only", "reason:undecided")
        assert names(page) == ["Bob"]
        page.select_option("#only", "band:Strong")
        assert len(names(page)) == 3
        page.locator("button[data-code=cache-extra]").click()
        assert sorted(names(page)) == ["Ada 10", "Ada Lovelace"]
        page.locator("#wanted button.find").first.click()
        assert names(page) == ["Bob"]
        assert page.locator("#cohort tbody a").first.get_attribute("href") == (
            "submissions/bob/report.html"
        )


def until(page: Page, expression: str) -> None:
    """Wait until an expression is true; the page's policy forbids it to wait for text itself."""
    for _ in range(300):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def test_the_map_names_its_fields_and_finds_whom_a_defect_hits(
    browser: Browser, tmp_path: Path, documents: list[dict[str, Any]]
) -> None:
    with opened(browser, index(documents[:4], tmp_path)) as one:
        page = one.page
        until(page, "typeof picture !== 'undefined' && picture.bins.length === 3")
        page.locator("#map").scroll_into_view_if_needed()
        at = page.evaluate(
            "({ x: picture.left + picture.gap + (DATA.dimensions.length + .5) * picture.column,"
            " y: picture.top + 1.5 * picture.row })"
        )
        page.locator("#map").hover(position=at)
        first = page.evaluate("DATA.codes[0]")
        assert page.locator("#map-at").inner_text() == f"Ada Lovelace · {first}: yes"
        painted = page.evaluate(
            "([x, y]) => { const d = devicePixelRatio;"
            " return [...map.getContext('2d').getImageData(x * d, y * d, 1, 1).data]; }",
            [at["x"], at["y"]],
        )
        assert painted == [163, 29, 23, 255], "the colour of a failure"
        page.locator("#map").click(position=at)
        assert sorted(names(page)) == ["Ada 10", "Ada Lovelace"]


def test_hostile_rows_stay_text(
    browser: Browser, tmp_path: Path, documents: list[dict[str, Any]]
) -> None:
    with opened(browser, index(documents, tmp_path)) as one:
        one.page.fill("#find", "<script>")
        assert len(names(one.page)) == 1
        assert "<script>alert(1)</script>" in one.page.locator("#cohort tbody th").inner_text()
        assert one.page.locator("#cohort img, #cohort script").count() == 0
        assert (one.said, one.asked) == ([], [])


def test_all_rows_are_printed(
    browser: Browser, tmp_path: Path, documents: list[dict[str, Any]]
) -> None:
    rows = [_named(documents[0], f"c{n}", f"C {n}") for n in range(300)]
    with opened(browser, index(rows, tmp_path)) as one:
        drawn = one.page.locator("#cohort tbody tr:not(.pad)")
        assert drawn.count() < 60
        one.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert drawn.count() == 300
        one.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert drawn.count() < 60


def test_thousands_are_small_and_quick(
    browser: Browser, tmp_path: Path, documents: list[dict[str, Any]]
) -> None:
    rows = [
        _named(documents[0], f"candidate-{n:05d}", f"Somebody With A Name {n}", score=n % 80)
        for n in range(MANY)
    ]
    file = index(rows, tmp_path)
    assert file.stat().st_size < LARGEST
    page = browser.new_page()
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(installed.address(file))
    metrics = client.send("Performance.getMetrics")["metrics"]
    busy = 1e3 * next(m["value"] for m in metrics if m["name"] == "ThreadTime")
    assert 0 < busy < SLOWEST
    drawn = page.locator("#cohort tbody tr:not(.pad)")
    assert drawn.count() < 60
    last = page.locator("#cohort tbody a", has_text="Somebody With A Name 4960")
    assert last.count() == 0
    page.evaluate("document.getElementById('frame').scrollTop = 1e9")
    page.locator("#cohort tbody tr[aria-rowindex='5001']").wait_for()
    assert drawn.count() < 60
    page.close()


def test_a_focused_row_keeps_the_focus_while_scrolling(
    browser: Browser, tmp_path: Path, documents: list[dict[str, Any]]
) -> None:
    rows = [_named(documents[0], f"c{n}", f"C {n}") for n in range(300)]
    with opened(browser, index(rows, tmp_path)) as one:
        page = one.page
        link = page.locator("#cohort tbody a").nth(10)
        link.focus()
        who = link.inner_text()
        page.evaluate("document.getElementById('frame').scrollTop = 300")
        page.wait_for_timeout(100)
        assert page.evaluate("document.activeElement.textContent") == who
