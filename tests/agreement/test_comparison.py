"""Results and marks are paired by id or name; what is not compared is told."""

from __future__ import annotations

import json

import pytest

from grader.agreement.comparison import compare
from grader.errors import CallerError
from grader.review import Folder, open_folder
from tests.agreement.conftest import Panel


def test_what_is_compared_and_what_is_not(folder: Folder, panel: Panel) -> None:
    file = panel({
        "s00": ([10, 20, 60], [0, 0, 1]),
        "Candidate 1": ([30, 40, None], [1, 2, None]),
        "s13": ([95, 90, 91], [4, 4, 4]),
        "una": ([50, 50, 50], [2, 2, 2]),
        "nobody": ([1, 1, 1], [0, 0, 0]),
        "s02": ([None] * 3, [None] * 3),
    })  # fmt: skip
    got = compare(folder, file)
    assert [one.id for one in got.compared] == ["s00", "s01", "s13"]
    assert got.unscored == (("una", "undecided"),)
    assert got.unknown == ("nobody",)
    assert len(got.unmarked) == 11
    assert "s02" in got.unmarked, "named in the file, and without a mark there"
    assert got.markers == ("1", "2", "3")
    first, second, last = got.compared
    assert (first.mark, first.panel_band) == (20, 0)
    assert (second.mark, second.panel_band) == (35, 1), "between two bands the lower one"
    assert last.percent == 100
    assert got.band_name(last.band) == "strong hire"
    assert last.href == "submissions/s13/report.html"
    assert [(p.first, p.second, p.marked) for p in got.pairs] == [
        ("1", "2", 3), ("1", "3", 2), ("2", "3", 2),
    ]  # fmt: skip
    assert got.grader.marked == 3
    assert [one.id for one in got.furthest] == sorted(
        ["s00", "s01", "s13"], key=lambda id: -abs(next(o.gap for o in got.compared if o.id == id))
    )


def test_a_status_without_a_score_is_told_too(folder: Folder, panel: Panel) -> None:
    path = folder.paths["s05"]
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"status": "unjudged", "score": None, "band": None}))
    got = compare(folder, panel({"s05": ([50], [2]), "s06": ([50], [2])}))
    assert got.unscored == (("s05", "unjudged"),)


def test_marks_alone_and_bands_alone(
    folder: Folder, panel: Panel, percents: dict[str, float]
) -> None:
    marks = compare(folder, panel({id: ([p], [None]) for id, p in percents.items()}))
    assert marks.grader.rho.value == pytest.approx(1.0)
    assert marks.grader.difference.value == pytest.approx(0.0)
    assert not marks.grader.kappa.known
    assert marks.furthest == ()
    bands = compare(folder, panel({id: ([None], [4]) for id in percents}))
    assert bands.grader.kappa.known
    assert not bands.grader.rho.known
    assert bands.furthest[0].id == "s00"


def test_two_names_of_one_submission(folder: Folder, panel: Panel) -> None:
    with pytest.raises(CallerError, match="“s01” and “Candidate 1” are one submission"):
        compare(folder, panel({"s01": ([1], [0]), "Candidate 1": ([1], [0])}))


def test_nothing_in_common(folder: Folder, panel: Panel) -> None:
    with pytest.raises(CallerError, match="both a score and a mark"):
        compare(folder, panel({"nobody": ([1], [0]), "una": ([1], [0])}))


def test_two_rubrics(folder: Folder, panel: Panel) -> None:
    path = folder.paths["s05"]
    document = json.loads(path.read_text())
    document["rubric"]["digest"] = "sha256:other"
    path.write_text(json.dumps(document))
    with pytest.raises(CallerError, match="graded by 2 rubrics"):
        compare(open_folder(folder.out), panel({"s01": ([1], [0])}))


def test_many_markers_have_no_intervals(folder: Folder, panel: Panel) -> None:
    marks = {f"s0{n}": ([10.0 * n + m for m in range(11)], [n // 2] * 11) for n in range(6)}
    got = compare(folder, panel(marks))
    assert len(got.pairs) == 55
    assert got.pairs[0].kappa.value == pytest.approx(1.0)
    assert not got.pairs[0].kappa.has_interval
    assert got.grader.rho.has_interval
