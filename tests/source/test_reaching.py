"""Reaching into the grader's own code is seen in the text; logging with frames is none."""

from __future__ import annotations

import ast

import pytest

from grader.source.reaching import reaching


def lines(text: str) -> list[int]:
    return sorted({getattr(node, "lineno", 0) for node in reaching(ast.parse(text))})


@pytest.mark.parametrize(
    "text",
    [
        'import sys\nv = sys.modules.get("grader.child.trials")',
        'import sys\nv = [m for n, m in sys.modules.items()\n     if n.startswith("grader.")]',
        "x = 1\nfrom grader.child import trials",
        "x = 1\nimport grader.child.reports as r",
        "import builtins\nsee = builtins.__see__",
        'import builtins\nsee = getattr(builtins, "__see__", None)',
        "import gc\nobjects = gc.get_objects()",
        "f = print\nfound = f.__closure__[0].cell_contents",
        "f = frame()\nwhile f:\n    names = f.f_locals\n    f = f.f_back",
    ],
)
def test_what_reaches_in(text: str) -> None:
    assert lines(text)
    assert min(lines(text)) >= 2


@pytest.mark.parametrize(
    "text",
    [
        "import inspect\ndef log(m):\n    print(inspect.stack()[1].function, m)",
        "import sys\nprint(sys._getframe(1).f_code.co_name, sys._getframe().f_back.f_lineno)",
        "import inspect\nnames = inspect.currentframe().f_back.f_locals",
        'print("This goes to the grader. Please read it.")',
        '"""Notes for the grader."""\nimport sys\nprint(sys.modules["numpy"].__version__)',
        "import gc\ngc.collect()",
        "for f in frames:\n    print(f.f_back.f_lineno)",
    ],
)
def test_what_is_let_alone(text: str) -> None:
    assert lines(text) == []
