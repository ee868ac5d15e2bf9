"""The view of a defect's mend: numbered, marked, highlighted and inert."""

from __future__ import annotations

from dataclasses import replace

from grader.records import Repair, Result
from grader.report.defects import defect_views

DIFF = "\n".join(
    [
        "@@ -14,3 +14,3 @@",
        "     a = 1",
        '-    b = "<script>"',
        "+    b = 2",
        "     c = 3",
        "@@ -24,2 +24,3 @@",
        "     d = 4",
        "+    d = d / n",
        " ",
    ]
)


def with_mend(usual: Result) -> Result:
    mend = Repair("solution.py", 15, "", "", DIFF, ("backward.dX",), "With this line changed …")
    first = replace(usual.defects[0], mend=mend)
    return replace(usual, defects=(first,))


def test_old_lines_have_their_numbers_and_what_is_left_out_shows(usual: Result) -> None:
    [view] = defect_views(with_mend(usual))
    rows = [(row.sign, row.number) for row in view.mend]
    assert rows == [
        *((" ", 14), ("-", 15), ("+", None), (" ", 16), ("⋯", None)),
        *((" ", 24), ("+", None), (" ", 25)),
    ]


def test_a_line_of_the_diff_is_highlighted_and_escaped(usual: Result) -> None:
    [view] = defect_views(with_mend(usual))
    gone = view.mend[1].html
    assert "&lt;script&gt;" in gone and "<script>" not in gone and "<span" in gone


def test_without_a_mend_there_are_no_rows(usual: Result) -> None:
    assert all(view.mend == () for view in defect_views(usual))
