"""Hostile names, output and comments in a real browser: nothing runs, nothing is fetched."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from grader.cohort import Settings
from grader.cohort.run import grade_cohort, write_cohort
from grader.cohort.worker import Order
from grader.intake import find_cohort
from grader.rubric import Rubric
from tests.hostile import browser, gathering
from tests.hostile.witnesses import Listener

ATTACKS = ("a45-markup", "a46-formulas", "a47-file-names")
RAN = "window.A45_RAN"
CHROMIUM = browser.find()

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs confined children")
in_a_browser = pytest.mark.skipif(
    not CHROMIUM, reason="NO BROWSER: install chromium, or what pages do in one goes unseen"
)


def calling(port: int) -> tuple[str, ...]:
    """Markup that makes a browser call the listener."""
    url = f"http://127.0.0.1:{port}"
    return (
        f"<img src={url}/image>",
        f"<script src={url}/script></script><script>window.A45_RAN=2</script>",
        f"<link rel=stylesheet href={url}/style><style>@import url({url}/import);</style>",
        f"<iframe src={url}/frame></iframe><object data={url}/object></object>",
        f"<meta http-equiv=refresh content='0;url={url}/refresh'><base href={url}/base/>",
        f"<form action={url}/form><input autofocus onfocus=submit()></form>",
        f"<svg><image href={url}/svg /></svg><video src={url}/video autoplay></video>",
        f"<a ping={url}/ping href=javascript:window.A45_RAN=3 id=x autofocus>x</a>",
        f"<div style='background:url({url}/background)'>x</div>",
    )


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with Listener() as one:
        yield one


@pytest.fixture(scope="module")
def pages(
    onsite: Rubric, listener: Listener, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Path]]:
    """Pages of a cohort of the hostile names, for both audiences, by audience."""
    base = tmp_path_factory.mktemp("browser")
    cohort, scratch = base / "cohort <script>window.A45_RAN=4<", base / "scratch"
    cohort.mkdir()
    scratch.mkdir()
    for attack in ATTACKS:
        module = gathering.load_build(attack)
        if attack == "a45-markup":
            module.NASTY += calling(listener.port)
        made = module.build(scratch)
        os.rename(os.fsencode(made), os.fsencode(cohort / made.name))
    found = find_cohort(cohort).entries
    assert len(found) == len(ATTACKS)
    for audience in ("interviewer", "candidate"):
        out = base / audience
        order = Order(onsite, Settings(seed=1), audience)
        graded = grade_cohort(order, found, out, jobs=1, tell=lambda _graded: None)
        write_cohort(order, cohort.name, graded, out)
    return {
        audience: sorted((base / audience).rglob("*.html"))
        for audience in ("interviewer", "candidate")
    }


@in_a_browser
def test_no_page_runs_or_fetches_what_a_submission_wrote(
    pages: dict[str, list[Path]], listener: Listener
) -> None:
    heard = len(listener.heard)
    with browser.Browser(CHROMIUM) as chromium:
        for audience, files in pages.items():
            assert len(files) == len(ATTACKS) + 1
            for file in files:
                visit = chromium.visit(browser.address(file), RAN)
                where = f"{audience} {file.parent.name}/{file.name}"
                assert visit.value is None, f"{where}: a script of the submission ran"
                others = [u for u in visit.requests if urlsplit(u).scheme not in ("file", "data")]
                assert others == [], where
                assert "A45" in visit.dom or "a4" in visit.dom.lower(), f"{where} is empty"
    assert listener.heard[heard:] == []
    assert listener.answers()


@in_a_browser
def test_the_browser_sees_what_a_naive_page_does(listener: Listener, tmp_path: Path) -> None:
    """The control: the same markup, not escaped, runs and calls."""
    naive = tmp_path / "naive.html"
    nasty = gathering.load_build("a45-markup").NASTY
    image = f"<img src=http://127.0.0.1:{listener.port}/image>"
    naive.write_text(f"<title>x</title><pre>{nasty[0]}{image}</pre>", encoding="utf-8")
    heard = len(listener.heard)
    with browser.Browser(CHROMIUM) as chromium:
        visit = chromium.visit(browser.address(naive), RAN)
    assert visit.value == 1
    assert f"http://127.0.0.1:{listener.port}/image" in visit.requests
    assert any("/image" in line for line in listener.heard[heard:])


def test_pages_hold_no_control_or_bidi_characters(pages: dict[str, list[Path]]) -> None:
    for files in pages.values():
        for file in files:
            text = file.read_text(encoding="utf-8")
            bad = {c for c in text if (ord(c) < 32 and c not in "\n\t") or c in "\x7f\u202e\u2066"}
            assert bad == set(), file


def test_the_table_holds_no_formula(pages: dict[str, list[Path]]) -> None:
    for files in pages.values():
        table = next(file for file in files if file.name == "index.html").with_name("scores.csv")
        with table.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))
        assert len(rows) == len(ATTACKS) + 1
        assert {len(row) for row in rows} == {len(rows[0])}
        cells = [cell for row in rows for cell in row]
        assert not [cell for cell in cells if cell[:1] in ("=", "+", "@", "\t", "\r")]
        assert not [cell for cell in cells if cell[:1] == "-" and not _is_number(cell)]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
