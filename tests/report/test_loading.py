"""What was left out and stood in for is told once where it is the same for both parts."""

from __future__ import annotations

from grader.records import Ended, Observation, Observations, ProcessReport
from grader.report.loading import MOST_MODULES, MOST_ROWS, loading_notes


def seen(numpy: dict[str, str], torch: dict[str, str]) -> tuple[str, ...]:
    reports = (ProcessReport(Observation(Ended.OK, texts=t)) for t in (numpy, torch))
    return loading_notes(Observations(*reports, {}))


def test_nothing_is_told_of_a_plain_file() -> None:
    assert seen({"definitions_only": "", "stand_ins": "torch\ntorch.nn"}, {}) == ()


def test_what_both_parts_needed_is_told_once() -> None:
    texts = {
        "definitions_only": "ValueError at module level\na.py:3: ValueError: demo",
        "stand_ins": "tqdm\nmatplotlib\nmatplotlib.pyplot",
    }
    assert seen(texts, texts) == (
        "Left out at module level: a.py:3: ValueError: demo",
        "After that, only imports, definitions and assignments were executed.",
        "Not there, and stood in for by something that does nothing: tqdm, matplotlib.",
    )


def test_what_only_one_part_needed_is_told_with_its_name() -> None:
    texts = {"definitions_only": "ValueError at module level\na.py:3: ValueError: demo"}
    assert all(s.startswith("For the PyTorch part: ") for s in seen({}, texts))


def test_a_cell_that_was_left_out_stops_nothing_after_it() -> None:
    rows = "SyntaxError at module level\nn.py:3: SyntaxError: cell 2: invalid syntax"
    assert seen({"definitions_only": rows}, {"definitions_only": rows}) == (
        "Left out at module level: n.py:3: SyntaxError: cell 2: invalid syntax",
    )


def test_no_list_is_endless() -> None:
    rows = "\n".join(["E at module level", *(f"a.py:{n}: E: x" for n in range(99))])
    names = "\n".join(f"m{n}" for n in range(99))
    told = seen({"definitions_only": rows, "stand_ins": names}, {})
    assert len(told) == MOST_ROWS + 2
    assert f"and {99 - MOST_MODULES} more" in told[-1]
