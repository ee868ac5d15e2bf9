"""What a recorder keeps of a value, and how values are packed for the wire."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from grader.child import instrument
from grader.child.tracing import COLUMNS, COMPLEX, MAX_SIZE, Recorder

SOURCE = b"def f(x):\n    for i in range(3):\n        x = x + i\n    return x\n"


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    names = (instrument.SEE, instrument.HOLD, instrument.HELD)
    before = {name: getattr(builtins, name) for name in names if hasattr(builtins, name)}
    made = Recorder()
    made.install()
    yield made
    for name in names:
        delattr(builtins, name)
        if name in before:
            setattr(builtins, name, before[name])


def run(recorder: Recorder, argument: Any) -> list[dict[str, int]]:
    code, table = instrument.instrument(SOURCE, "a.py")
    recorder.table += [(0, entry) for entry in table]
    names: dict[str, Any] = {}
    exec(code, names)
    with recorder.during("forward"):
        names["f"](argument)
    packed = recorder.packed()
    return [dict(zip(COLUMNS, row, strict=True)) for row in packed["index"].tolist()]


def test_the_first_and_the_last_value_of_a_place_are_kept(recorder: Recorder) -> None:
    rows = run(recorder, np.array([1.0, 2.0]))
    (added,) = (r for r in rows if r["kind"] == instrument.KINDS.index("add"))
    assert (added["line"], added["count"], added["ndim"], added["dim0"]) == (3, 3, 1, 2)
    values = recorder.packed()["values"]
    assert values[added["offset"] :][:2].tolist() == [1.0, 2.0]
    assert values[added["last_offset"] :][:2].tolist() == [4.0, 5.0]
    assert recorder.functions == ["f"]


def test_what_is_large_or_no_number_is_left_out(recorder: Recorder) -> None:
    rows = run(recorder, np.zeros(MAX_SIZE + 1))
    assert all(row["ndim"] == 0 for row in rows)


def test_of_a_complex_value_the_real_part_is_kept(recorder: Recorder) -> None:
    rows = run(recorder, np.array([1.0 + 5j, 2.0]))
    (added,) = (r for r in rows if r["kind"] == instrument.KINDS.index("add"))
    assert added["dtype"] == COMPLEX
    assert recorder.packed()["values"][added["offset"] :][:2].tolist() == [1.0, 2.0]


HIDING = b"names = {}\nexec('def g(x):\\n    y = x + 1.0\\n    return y.sum()', names)\n\n\n"
CALLING = HIDING + b"def f(x):\n    return [names['g'](x + i) for i in range(3)]\n"


def test_what_a_function_in_no_file_holds_stands_where_it_is_called(recorder: Recorder) -> None:
    code, table = instrument.instrument(CALLING, "a.py")
    recorder.table += [(0, entry) for entry in table]
    names: dict[str, Any] = {}
    exec(code, names)
    with recorder.during("backward"), recorder.beyond({"a.py": CALLING}):
        names["f"](np.array([1.0, 2.0]))
    packed = recorder.packed()
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in packed["index"].tolist()]
    held = [r for r in rows if recorder.functions[r["function"]] == "g"]
    assert [(r["line"], r["count"]) for r in held] == [(6, 3)] * 2  # x and y
    last = [packed["values"][r["last_offset"] :][:2].tolist() for r in held]
    assert last == [[3.0, 4.0], [4.0, 5.0]]


def test_nothing_beyond_the_files_is_watched_afterwards(recorder: Recorder) -> None:
    before = sys.getprofile()
    with recorder.beyond({}):
        assert sys.getprofile() is not None
    assert sys.getprofile() is before
