"""The bytes that were hashed are the bytes that run, from memory, under their own names."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
import traceback
from collections.abc import Iterator
from types import ModuleType

import pytest

from grader.observe import loading


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Loading changes the interpreter, which is a child's to keep and not a test's."""
    path, modules, lines = list(sys.meta_path), dict(sys.modules), dict(linecache.cache)
    yield
    sys.meta_path[:] = path
    sys.modules.clear()
    sys.modules.update(modules)
    linecache.cache.clear()
    linecache.cache.update(lines)


def load(main: str, /, **texts: str) -> tuple[ModuleType, str]:
    """Load `main`; in the names of files `_slash_` stands for `/`."""
    files = {f"{n.replace('_slash_', '/')}.py": t.encode() for n, t in texts.items()}
    return loading.load(files, main)


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
    assert reason.endswith("at module level")


def test_an_assignment_that_raises_is_left_out_and_the_next_is_made() -> None:
    module, _ = load("a.py", a="x = 1 / 0\ny: int = 3\ndef f(): return y\n")
    assert not hasattr(module, "x")
    assert module.f() == 3


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import no_such_module_g\ndef f(): pass", ModuleNotFoundError),
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
    assert loading.outline(text.encode(), "a.py") == [
        ("f", 3, False),
        ("g", 8, True),
        ("A", 11, False),
    ]
