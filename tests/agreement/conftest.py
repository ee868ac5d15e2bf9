"""A folder of results with scores from low to high, an undecided one, and panels' marks of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.agreement.comparison import Comparison, compare
from grader.checks import ALL_CHECKS
from grader.review import Folder, open_folder
from grader.rubric import Rubric, parse_rubric
from tests.export.conftest import HOSTILE, result

COUNT = 14
"""Decided submissions `s00`, `s01`, …: the further, the fewer checks fail."""


@pytest.fixture(scope="session")
def plain(onsite: Rubric) -> Rubric:
    """The checks of onsite.yaml with points alone, and bands of its own."""
    text = onsite.text.decode()
    start, end = text.index("charge: by_centrality"), text.index("dimensions:")
    text = text[:start] + text[end:]
    for now, then in (("90", "96"), ("78", "75"), ("57.5", "60"), ("38", "40")):
        text = text.replace(f"at_least: {now},", f"at_least: {then},")
    return parse_rubric(text.encode(), "plain.yaml", [check.id for check in ALL_CHECKS])


@pytest.fixture(scope="session")
def documents(plain: Rubric) -> dict[str, dict[str, Any]]:
    items = [i for part in plain.parts for i in part.items if not (i.bonus or i.manual)]
    checks = [check for item in items for check in item.checks]
    made = {}
    for at in range(COUNT):
        fails = dict.fromkeys(checks[: (COUNT - 1 - at) * len(checks) // COUNT], "Wrong.")
        name = HOSTILE if at == 3 else f"Candidate {at}"
        made[f"s{at:02d}"] = result(plain, f"s{at:02d}", name=name, who="", fails=fails)
    made["una"] = result(plain, "una", name="Una", who="", fails={}, status="ours")
    return made


def written(out: Path, plain: Rubric, documents: dict[str, dict[str, Any]]) -> Folder:
    """Lay results down as `grader cohort` does."""
    for id, document in documents.items():
        (out / "submissions" / id).mkdir(parents=True)
        (out / "submissions" / id / "result.json").write_text(json.dumps(document))
    (out / "rubric.yaml").write_bytes(plain.text)
    return open_folder(out)


@pytest.fixture
def folder(plain: Rubric, documents: dict[str, dict[str, Any]], tmp_path: Path) -> Folder:
    """A folder of its own for each test."""
    return written(tmp_path / "out", plain, documents)


@pytest.fixture(scope="session")
def comparison(
    plain: Rubric,
    documents: dict[str, dict[str, Any]],
    percents: dict[str, float],
    tmp_path_factory: pytest.TempPathFactory,
) -> Comparison:
    """The results beside two markers who give less, with one undecided and one unknown."""
    folder = written(tmp_path_factory.mktemp("compared") / "out", plain, documents)
    said = {
        id: {"marks": [p * 0.6, p * 0.5], "bands": [at // 3, at // 4], "why": [HOSTILE, ""]}
        for at, (id, p) in enumerate(percents.items())
    }
    others = {"marks": [50, 50], "bands": [2, 2], "why": ["", ""]}
    file = folder.out / "marks.json"
    file.write_text(json.dumps(said | {"una": others, "<b>nobody": others}))
    return compare(folder, file)


@pytest.fixture(scope="session")
def percents(documents: dict[str, dict[str, Any]]) -> dict[str, float]:
    """The grader's scores in per cent, of the decided."""
    return {id: 100 * d["score"] / d["max_score"] for id, d in documents.items() if id != "una"}


def kind_band(percent: float) -> int:
    """Return the band of a panel that asks for less than the rubric does."""
    return sum(percent >= start for start in (15, 30, 45, 58))


Panel = Callable[..., Path]


@pytest.fixture
def panel(tmp_path: Path) -> Panel:
    """Writes a JSON file of marks: `{id: ([marks], [bands])}`."""

    def write(said: dict[str, tuple[list[Any], list[Any]]]) -> Path:
        file = tmp_path / "marks.json"
        forms = {id: {"marks": m, "bands": b} for id, (m, b) in said.items()}
        file.write_text(json.dumps(forms))
        return file

    return write
