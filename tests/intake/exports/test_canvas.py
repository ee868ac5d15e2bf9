"""Canvas' flat files, and their versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.intake import find_cohort
from tests.intake.archives import packed
from tests.intake.exports.layouts import WAYS, Files, Lay, as_folder, marked
from tests.intake.test_find import FORWARD, notebook

CANVAS: Files = {
    "lovelaceada_12345_1001_solution.py": marked("old"),
    "lovelaceada_12345_1009_solution-1.py": "from utils import x\n" + marked("new"),
    "lovelaceada_12345_1003_utils.py": "x = 1\n",
    "lovelaceada_12345_1004_answers.md": "## Q1\nyes",
    "obrienbob_LATE_222_1005_work.zip": packed([("hw/solution.py", marked("zip").encode())]),
    "zhangwei_333_1006_hw3-2.ipynb": notebook(FORWARD),
    "nowaktomasz_444_1007_part-1.py": "x = 1\n",
    "nowaktomasz_444_1008_part-2.py": marked("part two"),
    "silvaana_555_1011_hw_v1.py": marked("v1"),
    "silvaana_555_1012_hw_v2.py": marked("v2"),
    "anon_a1B2c_1013_solution.py": marked("anonymous"),
    "lovelaceada_777_1014_solution.py": marked("namesake"),
}


@pytest.mark.parametrize("lay", WAYS)
def test_canvas(lay: Lay, tmp_path: Path) -> None:
    cohort = find_cohort(lay(tmp_path, CANVAS))
    assert cohort.layout == "Canvas"
    assert len(cohort.entries) == 7
    assert sum(f.name == "lovelaceada" for f in cohort.entries) == 2
    by_id = {f.id: f.read() for f in cohort.entries}
    ada = by_id[next(i for i in by_id if i.startswith("lovelaceada-12345"))]
    assert [f.path for f in ada.files] == ["solution.py", "utils.py"]
    assert "new" in ada.source
    assert ada.answers == "## Q1\nyes"
    assert ada.passed_over == ("solution.py (an earlier version of solution-1.py)",)
    by_id |= {f.name: by_id[f.id] for f in cohort.entries}
    assert "zip" in by_id["obrienbob"].source
    assert by_id["zhangwei"].main == "hw3.py"
    assert [f.path for f in by_id["nowaktomasz"].files] == ["part-1.py", "part-2.py"]
    assert "v2" in by_id["silvaana"].source
    assert by_id["silvaana"].passed_over == ("hw_v1.py (an earlier version of hw_v2.py)",)
    assert "namesake" in by_id[next(i for i in by_id if i.startswith("lovelaceada-777"))].source


def test_a_few_odd_files_make_it_no_other_layout(tmp_path: Path) -> None:
    cohort = find_cohort(as_folder(tmp_path, {**CANVAS, "roster.csv": "a,b"}))
    assert cohort.layout == "Canvas"
    assert "roster.csv (not called like a submission)" in cohort.left_out
