"""What was left out and stood in for is told once where it is the same for both parts."""

from __future__ import annotations

from typing import Any

from grader.records import Ended, LoadNote, Observation, Observations, ProcessReport
from grader.report.loading import MOST_MODULES, MOST_ROWS, loading_notes

DEMO = LoadNote("a.py", 3, "ValueError", "demo")


def told(numpy: dict[str, Any], torch: dict[str, Any]) -> tuple[str, ...]:
    reports = (ProcessReport(Observation(Ended.OK), **facts) for facts in (numpy, torch))
    return loading_notes(Observations(*reports, {}))


def test_nothing_is_told_of_a_plain_file() -> None:
    assert told({"notes": (), "stand_ins": ("torch", "torch.nn")}, {}) == ()


def test_what_both_parts_needed_is_told_once() -> None:
    facts = {"notes": (DEMO,), "stand_ins": ("tqdm", "matplotlib", "matplotlib.pyplot")}
    assert told(facts, facts) == (
        "Left out at module level: a.py:3: ValueError: demo",
        "After that, only imports, definitions and assignments were executed.",
        "Not there, and stood in for by something that does nothing: tqdm, matplotlib.",
    )


def test_what_only_one_part_needed_is_told_with_its_name() -> None:
    assert all(s.startswith("For the PyTorch part: ") for s in told({}, {"notes": (DEMO,)}))


def test_a_cell_that_was_left_out_stops_nothing_after_it() -> None:
    facts = {"notes": (LoadNote("n.py", 3, "SyntaxError", "cell 2: invalid syntax", of_cell=True),)}
    assert told(facts, facts) == (
        "Left out at module level: n.py:3: SyntaxError: cell 2: invalid syntax",
    )


def test_no_list_is_endless() -> None:
    notes = tuple(LoadNote("a.py", n, "E", "x") for n in range(99))
    sentences = told({"notes": notes, "stand_ins": tuple(f"m{n}" for n in range(99))}, {})
    assert len(sentences) == MOST_ROWS + 2
    assert f"and {99 - MOST_MODULES} more" in sentences[-1]
