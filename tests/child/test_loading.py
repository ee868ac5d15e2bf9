"""The bytes that were hashed are the bytes that run, from memory, under their own names."""

from __future__ import annotations

import ast
import builtins
import inspect
import json
import linecache
import sys
import time
import traceback
from collections.abc import Iterator
from types import ModuleType

import pytest

from grader.child import loading, standin
from grader.child.reports import DefinitionReport
from grader.intake.notebook import read_notebook


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Loading changes the interpreter, which is a child's to keep and not a test's."""
    path, modules, lines = list(sys.meta_path), dict(sys.modules), dict(linecache.cache)
    arguments, trace = sys.argv, sys.gettrace()
    yield
    assert sys.argv is arguments
    assert sys.gettrace() is trace
    for name in ("get_ipython", "display"):
        vars(builtins).pop(name, None)
    sys.meta_path[:] = path
    sys.modules.clear()
    sys.modules.update(modules)
    linecache.cache.clear()
    linecache.cache.update(lines)


def load(main: str, /, **texts: str) -> tuple[ModuleType, str]:
    """Load `main`; in the names of files `_slash_` stands for `/`."""
    files = {f"{n.replace('_slash_', '/')}.py": t.encode() for n, t in texts.items()}
    module, notes = loading.load(files, main)
    return module, "\n".join(f"{n.file}:{n.line}: {n.kind}: {n.text}" for n in notes)


# ── imports among a submission's files ───────────────────────────────────────


def test_a_file_becomes_a_module() -> None:
    module, reason = load("answer.py", answer="x = 1\n\ndef f():\n    return __file__, __name__\n")
    assert (module.x, reason) == (1, "")
    assert module.f() == ("answer.py", "answer")
    assert sys.modules["answer"] is module


def test_files_import_each_other() -> None:
    module, _ = load(
        "main.py", main="import helper_a\nfrom pkg_b.inner import y\nx = helper_a.x",
        helper_a="x = 2", pkg_b_slash___init__="", pkg_b_slash_inner="from . import other\ny = other.z",
        pkg_b_slash_other="z = 3",
    )  # fmt: skip
    assert (module.x, module.y) == (2, 3)


def test_a_folder_without_init_is_a_package_too() -> None:
    module, _ = load("main.py", main="from lib_c.deep.f import x", lib_c_slash_deep_slash_f="x = 4")
    assert module.x == 4


def test_neighbours_of_a_nested_main_file_are_found_by_their_plain_names() -> None:
    module, _ = load("src_d/main.py", src_d_slash_main="import helper_d\nx = helper_d.x",
                     src_d_slash_helper_d="x = 5")  # fmt: skip
    assert module.x == 5


@pytest.mark.parametrize("statement", ["from .part import x", "from pkg_e.part import x"])
def test_a_module_of_a_package_may_import_its_neighbours_by_either_name(statement: str) -> None:
    module, _ = load("pkg_e/main.py", pkg_e_slash_main=statement, pkg_e_slash_part="x = 6",
                     pkg_e_slash___init__="")  # fmt: skip
    assert module.x == 6


@pytest.mark.parametrize("statement", ["from .part import x", "from pkg_f.part import x"])
def test_a_package_may_itself_be_the_main_file(statement: str) -> None:
    module, _ = load("pkg_f/__init__.py", pkg_f_slash___init__=statement, pkg_f_slash_part="x = 7")
    assert module.x == 7


def test_a_file_cannot_stand_in_for_numpy() -> None:
    import numpy

    module, _ = load("main.py", main="import numpy as np", numpy="zeros = None")
    assert module.np is numpy


def test_names_no_import_could_spell_are_loaded_all_the_same() -> None:
    module, _ = loading.load({"my answer (2).py": b"x = 8"}, "my answer (2).py")
    assert module.x == 8


@pytest.mark.parametrize(
    "data",
    [b"\xef\xbb\xbfx = 9", b"# -*- coding: latin-1 -*-\nx, s = 9, '\xe9'", b"x = 9\r\ny = 1\r\n"],
)
def test_the_bytes_decide_their_encoding(data: bytes) -> None:
    assert loading.load({"a.py": data}, "a.py")[0].x == 9


def test_future_imports_of_the_harness_are_not_the_submissions() -> None:
    module, _ = load("a.py", a="def f(x: int): pass\n")
    assert module.f.__annotations__ == {"x": int}


def test_code_run_as_main_is_not_run() -> None:
    module, _ = load("a.py", a="x = 1\nif __name__ == '__main__':\n    raise SystemExit")
    assert module.x == 1


def test_a_dataclass_can_be_defined() -> None:
    """`dataclasses` looks its module up in `sys.modules`."""
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n"
    assert load("a.py", a=text)[0].A(3).x == 3


# ── when a statement at module level raises ──────────────────────────────────


@pytest.mark.parametrize(
    "statement",
    [
        "raise ValueError('demo')",
        "exit()",
        "open('data.csv')",
        "1 / 0",
        "assert False",
        "f(undefined)",
    ],
)
def test_the_definitions_are_had_without_what_raises(statement: str) -> None:
    module, reason = load(
        "a.py", a=f"import math\nx = 2\n{statement}\ndef f():\n    return x * math.pi\n"
    )
    assert module.f() > 6
    (where,) = reason.splitlines()
    assert where.startswith("a.py:3: ")


def test_an_assignment_that_raises_is_left_out_and_the_next_is_made() -> None:
    module, _ = load("a.py", a="x = 1 / 0\ny: int = 3\ndef f(): return y\n")
    assert not hasattr(module, "x")
    assert module.f() == 3


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("@undefined\ndef f(): pass", NameError),
        ("class A(undefined): pass", NameError),
        ("def f(:\n    pass", SyntaxError),
        ("raise SystemExit(3)\n@undefined\ndef f(): pass", SystemExit),
        ("x = 1\n\ty = 2", SyntaxError),
        ("x = '\0'", (SyntaxError, ValueError)),
    ],
)
def test_what_cannot_be_had_either_way_is_raised(text: str, error: type[BaseException]) -> None:
    with pytest.raises(error):
        load("a.py", a=text)


def test_a_crash_of_the_parser_is_an_exception() -> None:
    with pytest.raises((MemoryError, RecursionError, SyntaxError)):
        load("a.py", a="(" * 50_000 + ")" * 50_000)


def test_an_import_that_fails_takes_only_its_own_name_with_it() -> None:
    module, reason = load("a.py", a="import no_such_module_g\ndef f(): return 1\n")
    assert module.f() == 1
    assert "a.py:1: ModuleNotFoundError" in reason


def test_a_definition_that_fails_is_told_and_the_others_stay() -> None:
    module, reason = load("a.py", a="1 / 0\n@undefined\ndef f(): ...\ndef g(): return 2\n")
    assert module.g() == 2
    assert "a.py:3: NameError" in reason


NEEDED = """
from __future__ import annotations
import numpy as np
{first}
EPS = 1e-12
B, D, H, C = 64, 128, 256, 10
rng = np.random.default_rng(0)
Array: TypeAlias = "np.ndarray"
table = {{}}
table["a"] = 1
total = 1
total += 2
try:
    import cupy_g as xp
except ImportError:
    xp = None
if xp is None:
    dtype = np.float64
else:
    dtype = np.float32
with np.errstate(all="ignore"):
    def inner(): return total
np.seterr(divide="raise")
for i in range(3):
    print("a demo must not run")
print("nor must this")
def f(x: Undefined) -> Undefined:
    return EPS, B, rng.random(), table["a"], inner(), dtype, xp
class Late:
    size: Undefined = C
if __name__ == "__main__":
    raise SystemExit
"""


@pytest.mark.parametrize("first", ["raise ValueError", "with open('x') as f:\n    data = f.read()"])
def test_what_functions_need_of_module_level_survives(
    first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import numpy as np

    before = np.geterr()
    try:
        module, reason = load("a.py", a=NEEDED.format(first=first))
        assert np.geterr()["divide"] == "raise"
    finally:
        np.seterr(**before)
    assert module.f(0)[1:2] == (64,)
    assert module.f(0)[3:] == (1, 3, np.float64, None)
    assert module.Late.size == 10
    assert reason
    assert capsys.readouterr().out == ""


def test_what_ran_before_the_failure_stays_and_does_not_run_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "print('once')\nsizes = []\nfor i in range(3):\n    sizes.append(i)\nassert not sizes\ndef f(): return sizes\n"
    module, _ = load("a.py", a=text)
    assert module.f() == [0, 1, 2]
    assert capsys.readouterr().out == "once\n"


@pytest.mark.parametrize("test", ["flag", "not flag"])
def test_of_a_block_that_failed_the_branch_that_was_taken_is_defined(test: str) -> None:
    text = f"flag = True\nif {test}:\n    1 / 0\n    def f(): return 'if'\nelse:\n    1 / 0\n    def f(): return 'else'\n"
    assert load("a.py", a=text)[0].f() == ("if" if test == "flag" else "else")


@pytest.mark.parametrize(
    "statement", ["from .utils_h import x", "from . import utils_h\nx = utils_h.x"]
)
def test_a_relative_import_without_a_package_means_the_neighbour(statement: str) -> None:
    module, reason = load("a.py", a=f"{statement}\ndef f(): return x\n", utils_h="x = 3")
    assert module.f() == 3
    assert reason == "", "the folder that was handed in is the package"


def test_a_relative_import_of_what_is_not_there_is_told() -> None:
    _, reason = load("a.py", a="from .nowhere import x\ndef f(): return 3\n")
    assert "a.py:1: " in reason


def test_a_neighbour_whose_demo_fails_is_imported_by_its_definitions() -> None:
    text = "def g(): return 1\nopen('data.csv')\ndef h(): return 2\n"
    module, reason = load(
        "a.py", a="from helper_i import g, h\ndef f(): return g() + h()", helper_i=text
    )
    assert module.f() == 3
    assert "helper_i.py:2: " in reason


def test_a_neighbour_that_does_not_parse_takes_only_its_own_names_with_it() -> None:
    module, reason = load(
        "a.py", a="from helper_j import g\ndef f(): return 1", helper_j="x = 1\ndef g(:"
    )
    assert module.f() == 1
    assert "helper_j.py:2: SyntaxError" in reason


def test_a_file_beside_a_nested_main_has_its_whole_path() -> None:
    module, _ = load(
        "src_k/main.py",
        src_k_slash_main="from helper_k import g",
        src_k_slash_helper_k="def g(): ...",
    )
    assert module.g.__code__.co_filename == "src_k/helper_k.py"


def test_a_folder_called_like_a_framework_does_not_hide_it() -> None:
    sys.meta_path.append(standin.StandInFinder(standin.Switch()))
    module, _ = load("tinygrad/main.py", tinygrad_slash_main="import tinygrad\nx = tinygrad.Tensor")
    assert isinstance(module.tinygrad, standin.InertModule)


def test_a_main_file_called_like_a_module_in_use_leaves_that_alone() -> None:
    import random

    module, _ = load("random.py", random="x = 1\n")
    assert module.x == 1
    assert sys.modules["random"] is random


# ── time ─────────────────────────────────────────────────────────────────────

ENDLESS = [
    "while True:\n    x = 1\n",
    "def train():\n    while True:\n        x = 1\nhistory = train()\n",
    "def train():\n    while True:\n        try:\n            x = 1\n        except Exception:\n            pass\ntrain()\n",
    "class A:\n    while True:\n        x = 1\n",
    "if True:\n    for i in iter(int, 1):\n        i + 1\n",
]  # fmt: skip


@pytest.mark.parametrize("text", ENDLESS)
def test_a_module_level_that_does_not_end_is_cut_short(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading.Loader, "seconds", 0.1)
    monkeypatch.setattr(loading, "SECONDS_AFTER", 0.05)
    started = time.process_time()
    module, reason = load("a.py", a=f"def f(): return x\n{text}x = 2\n")
    assert time.process_time() - started < 2
    assert module.f() == 2
    assert reason.startswith("a.py:") and ": TooLong: " in reason


def test_many_endless_statements_are_cut_short_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading.Loader, "seconds", 0.1)
    monkeypatch.setattr(loading, "SECONDS_IN_ALL", 0.3)
    text = "def t():\n    while True:\n        x = 1\n" + "".join(
        f"h{i} = t()\n" for i in range(20)
    )
    started = time.process_time()
    module, _ = load("a.py", a=text + "def f(): return 1\n")
    assert time.process_time() - started < 20 * 0.25
    assert module.f() == 1


def test_what_is_called_later_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading.Loader, "seconds", 0.05)
    text = "def f():\n    import helper_l\n    for i in range(10**6):\n        x = i\n    return helper_l.g()\n"
    module, reason = load("a.py", a=text, helper_l="def g(): return 1\n1 / 0\n")
    assert module.f() == 1
    assert reason == ""


# ── scripts and notebooks ────────────────────────────────────────────────────


def test_a_script_finds_its_own_arguments() -> None:
    text = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', default=3)\nargs = p.parse_args()\ndef f(): return args.lr\n"
    assert load("a.py", a=text)[0].f() == 3


def test_ipythons_functions_do_nothing() -> None:
    text = "get_ipython().run_line_magic('matplotlib', 'inline')\ndisplay(1)\nx = 1\n"
    module, reason = load("a.py", a=text)
    assert (module.x, reason) == (1, "")


def cells(*sources: str) -> bytes:
    rows = [{"cell_type": "code", "source": s} for s in sources]
    return read_notebook(json.dumps({"cells": rows}).encode()).source


def test_a_cell_that_does_not_parse_is_left_out_and_lines_stay() -> None:
    data = cells("a = 1", "for x in", "def f(): return a", "from __future__ import annotations")
    module, notes = loading.load({"n.py": data}, "n.py")
    assert module.f() == 1
    assert module.f.__code__.co_firstlineno == data.split(b"\n").index(b"def f(): return a") + 1
    assert notes[0][:3] == ("n.py", 5, "SyntaxError") and notes[0].text.startswith("cell 2: ")
    assert loading.outline(loading.parse(data, "n.py")) == [DefinitionReport("f", 8, is_stub=False)]


def test_a_cell_that_fails_does_not_stop_those_after_it() -> None:
    module, _ = loading.load(
        {"n.py": cells("EPS = 2", "plot(EPS)", "def f(): return EPS * K", "K = 3")}, "n.py"
    )
    assert module.f() == 6


# ── lines ────────────────────────────────────────────────────────────────────


def test_a_traceback_quotes_the_submissions_lines() -> None:
    module, _ = load("a.py", a="def f():\n    return [][7]  # here\n")
    with pytest.raises(IndexError) as caught:
        module.f()
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (frame.filename, frame.lineno, frame.line) == ("a.py", 2, "return [][7]  # here")


def test_inspect_finds_the_source() -> None:
    module, _ = load("a.py", a="\ndef f():\n    return 1\n")
    assert inspect.getsource(module.f) == "def f():\n    return 1\n"


# ── the outline ──────────────────────────────────────────────────────────────

REAL = ["return 1", "x = 1", "'''doc'''\n    return X @ W1", "raise ValueError", "print('todo')",
        "yield", "raise NotImplementedError if X else 1", "return []"]  # fmt: skip
STUBS = ["pass", "...", "'''doc'''", "return", "return None", "raise NotImplementedError",
         "raise NotImplementedError('todo')", "'''doc'''\n    pass", "'''d'''\n    raise NotImplementedError()"]  # fmt: skip


@pytest.mark.parametrize("body", STUBS)
def test_a_body_that_does_nothing_is_a_stub(body: str) -> None:
    assert loading.is_stub(ast.parse(f"def f(X):\n    {body}").body[0])


@pytest.mark.parametrize("body", REAL)
def test_a_body_that_does_something_is_none(body: str) -> None:
    assert not loading.is_stub(ast.parse(f"def f(X):\n    {body}").body[0])


def test_the_outline_has_functions_and_classes_of_the_top_level_with_their_lines() -> None:
    text = "import os\n\ndef f():\n    def inner(): pass\n    return 1\n\n@dec\ndef g():\n    pass\n\nclass A:\n    def m(self): return 1\n"
    assert loading.outline(loading.parse(text.encode(), "a.py")) == [
        DefinitionReport("f", 3, is_stub=False),
        DefinitionReport("g", 8, is_stub=True),
        DefinitionReport("A", 11, is_stub=False),
    ]
