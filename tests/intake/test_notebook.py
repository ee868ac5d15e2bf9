"""A notebook gives the module its author saw run; what is no notebook is said to be none."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SubmissionError
from grader.intake.notebook import read_notebook
from grader.limits import CELLS, TEXT_CELLS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cells", "source", "cell_type", "x"]), inner, max_size=3)
    ),
)


def code(source: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source}


def notebook(*cells: Any) -> bytes:
    return json.dumps({"cells": list(cells), "nbformat": 4}).encode()


def converted(*sources: Any) -> str:
    return read_notebook(notebook(*map(code, sources))).source.decode()


def test_code_cells_come_in_order_and_others_not_at_all() -> None:
    data = notebook(
        code("a = 1"), {"cell_type": "markdown", "source": "# no"}, code(["b = a\n", "c = b"])
    )
    names: dict[str, Any] = {}
    source = read_notebook(data).source.decode()
    exec(source, names)
    assert names["c"] == 1
    assert "# no" not in source


@pytest.mark.parametrize(
    "line",
    ["%matplotlib inline", "%%time", "!pip install numpy", "?len", "%load_ext x", "!ls | wc"],
)
def test_what_only_ipython_understands_becomes_a_comment(line: str) -> None:
    source = converted(f"{line}\nx = 1")
    ast.parse(source)
    assert line in source


def test_a_magic_in_a_block_leaves_the_block_whole() -> None:
    names: dict[str, Any] = {}
    exec(converted("if True:\n    %time\nx = 2"), names)
    assert names["x"] == 2


def test_a_cell_of_another_language_is_a_comment_as_a_whole() -> None:
    ast.parse(converted("%%bash\nrm -rf $HOME\nfor x in *; do echo; done"))


@pytest.mark.parametrize("magic", ["%%time", "%%timeit -n 1", "%%capture out"])
def test_a_timed_cell_is_still_run(magic: str) -> None:
    names: dict[str, Any] = {}
    exec(converted(f"{magic}\n!pip install x\n%matplotlib inline\nx = 3"), names)
    assert names["x"] == 3


def test_a_line_that_goes_on_with_a_modulo_is_python() -> None:
    names: dict[str, Any] = {}
    exec(converted("text = ('loss %d'\n    % 7)\nrest = (8\n% 3)"), names)
    assert names["text"] == "loss 7"
    assert names["rest"] == 2


@given(st.lists(st.text("a%!?\n #", max_size=30), max_size=4))
def test_the_number_of_lines_of_a_cell_stays(cells: list[str]) -> None:
    source = converted(*cells)
    headers = len(cells)
    blanks = max(0, len(cells) - 1)
    wanted = sum(cell.count("\n") + 1 for cell in cells) + headers + blanks
    assert source.count("\n") == wanted


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"cells": 3}', b'{"cells": [1]}', b"{'a': 1}",
        b'{"cells": {"a": 1}}', b'{"cells": [{"cell_type": "code"}]}', b"[" * 100_000,
        notebook(code(5)), notebook(code(None)), notebook(code(True)), b'{"cells":' * 50_000,
    ],
)  # fmt: skip
def test_what_is_no_notebook_is_refused(data: bytes) -> None:
    with pytest.raises(SubmissionError, match="notebook"):
        read_notebook(data)


@given(
    JSON | st.builds(lambda cells: {"cells": cells}, st.lists(st.builds(code, JSON), max_size=3))
)
def test_any_json_gives_source_or_a_submission_error(value: Any) -> None:
    try:
        assert isinstance(read_notebook(json.dumps(value).encode()).source, bytes)
    except SubmissionError:
        return


@given(st.binary(max_size=200))
def test_any_bytes_give_source_or_a_submission_error(data: bytes) -> None:
    try:
        assert isinstance(read_notebook(data).source, bytes)
    except SubmissionError:
        return


def test_a_lone_surrogate_does_not_end_the_judge() -> None:
    data = b'{"cells": [{"cell_type": "code", "source": "x = \\"\\ud800\\""}]}'
    assert read_notebook(data).source.decode("utf-8")


@pytest.mark.parametrize(
    "line",
    ["np.sum?", "np.linalg.norm??", "files = !ls", "x = %timeit -o f()", "%%prun", "%timeit f()"],
)
def test_more_of_what_only_ipython_understands(line: str) -> None:
    names: dict[str, Any] = {}
    exec(converted(f"{line}\ny = 1"), names)
    assert names["y"] == 1


@pytest.mark.parametrize(
    "line", ["x = a if b else c  # why?", "s = 'what?'", "y = 7 %3", "z = x != 1"]
)
def test_python_that_looks_like_ipythons_stays(line: str) -> None:
    assert line in converted(line)


def test_a_cell_that_is_written_to_a_file_is_a_module() -> None:
    found = read_notebook(
        notebook(code("%%writefile net.py\nx = 1\n"), code("%%file ../evil.py\nx"))
    )
    assert found.written == (("net.py", b"x = 1\n"),)
    assert b"\nx = 1" not in found.source
    assert found.cells == 2


def test_a_future_import_of_a_later_cell_comes_first_and_no_line_moves() -> None:
    source = converted(
        "a = 1", "from __future__ import annotations\nb = 2", "from __future__ import division"
    )
    assert source.startswith(
        "from __future__ import annotations, division  # ── cell 1 ──\na = 1\n"
    )
    assert source.splitlines()[4:6] == ["pass  # from __future__ import annotations", "b = 2"]
    ast.parse(source)


def test_a_notebook_of_long_ago() -> None:
    data = json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = ", "1"]}]}]})
    assert b"x = 1" in read_notebook(data.encode()).source


@pytest.mark.parametrize(
    "start", [b"<!DOCTYPE html>", b"\n<html lang='en'>", b"\xef\xbb\xbf<HTML>"]
)
def test_a_web_page_is_called_one(start: bytes) -> None:
    with pytest.raises(SubmissionError, match=r"web page .* download it as \.ipynb"):
        read_notebook(start + b"<body>")


def test_a_notebook_of_endless_values_is_not_read() -> None:
    with pytest.raises(SubmissionError, match="too much output"):
        read_notebook(b'{"cells": [' + b"{}," * 600_000 + b"{}]}")


def test_a_plot_of_megabytes_is_no_trouble() -> None:
    plot = {"cell_type": "code", "source": "x = 1", "outputs": [{"image/png": "A" * (6 << 20)}]}
    assert read_notebook(notebook(plot)).source == "# ── cell 1 ──\nx = 1\n".encode()


def test_no_cells_give_an_empty_module() -> None:
    assert read_notebook(b'{"cells": []}').source == b""


def test_of_very_many_cells_the_first_are_used_and_it_says_so() -> None:
    cells = [{"cell_type": "code", "source": f"x = {i}"} for i in range(CELLS + 1)]
    crumbs = [{"cell_type": "markdown", "source": "few words"}] * (TEXT_CELLS + 1)
    notebook = read_notebook(json.dumps({"cells": [*cells, *crumbs]}).encode())
    assert notebook.source.count(b"x = ") == CELLS
    assert len(notebook.prose) == TEXT_CELLS
    assert len(notebook.notes) == 2


@pytest.mark.parametrize(
    "broken", [None, 3, {"cell_type": "markdown", "source": None}, {"cell_type": "code"}, code(7)]
)
def test_a_cell_that_cannot_be_read_costs_no_other(broken: Any) -> None:
    assert "a = 1" in read_notebook(notebook(broken, code("a = 1"))).source.decode()
