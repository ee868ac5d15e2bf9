"""The page says what the statistics say, links to the reports, and shows hostile text as text."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from grader.agreement.comparison import Comparison, compare
from grader.agreement.measures import Estimate
from grader.agreement.page import interval_words, number_words, render_agreement
from grader.review import Folder
from tests.agreement.conftest import Panel
from tests.report.rendered import Page


@pytest.fixture
def page(comparison: Comparison) -> str:
    return render_agreement(comparison, "<i>Spring", Path("marks.json"))


def test_the_page_is_whole(page: str, comparison: Comparison) -> None:
    read = Page(page)
    links = [
        a["href"] for tag, a in read.tags if tag == "a" and str(a.get("href")).startswith("sub")
    ]
    assert links == [one.href for one in comparison.furthest]
    assert f"{comparison.grader.kappa.value:.2f}" in read.text
    assert "una (undecided)" in read.text
    assert "Williamson, Xi and Breyer 2012" in read.text
    assert "1 and 2" in read.text
    dots = [a for tag, a in read.tags if tag == "circle"]
    assert len(dots) == len(comparison.compared)
    counts = [a for tag, a in read.tags if tag == "td" and str(a.get("class")).startswith("m")]
    assert len(counts) == len(comparison.bands) ** 2
    shades = {str(a["class"]).split()[0] for a in counts}
    assert {"m0", "m4"} <= shades, "the largest count has the darkest shade"


def test_hostile_text_stays_text(page: str) -> None:
    assert "<script>alert(1)" not in page
    assert "<b>nobody" not in page
    assert "<i>Spring" not in page
    assert "<b>nobody" in Page(page).text


def test_one_marker_without_bands(folder: Folder, panel: Panel) -> None:
    got = compare(folder, panel({f"s0{n}": ([50], [None]) for n in range(9)}))
    text = Page(render_agreement(got, "x", Path("m.csv"))).text
    assert "not known" in text
    assert "The markers among themselves" not in text
    assert "Framed in green" not in text


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("kappa", 0.446, "0.45"),
        ("kappa", -0.001, "0.00"),
        ("kappa", -0.5, "−0.50"),
        ("difference", 1.111, "+1.11"),
        ("difference", -0.004, "0.00"),
        ("exact", 0.9999, "99 %"),
        ("exact", 0.29, "29 %"),
        ("rho", math.nan, "–"),
    ],
)
def test_numbers_in_words(key: str, value: float, words: str) -> None:
    assert number_words(key, value) == words


def test_intervals_in_words() -> None:
    assert interval_words("exact", Estimate(0.5, 0.25, 0.75)) == "25 to 75 %"
    assert interval_words("difference", Estimate(0.0, -0.25, 0.75)) == "−0.25 to +0.75"
    assert interval_words("kappa", Estimate(0.5)) == ""
