"""Reading a stranger's source as trees: limits, the contract's functions, what is passed on."""

from __future__ import annotations

import ast

import pytest

from grader.intake.files import Read
from grader.intake.find import assemble
from grader.records import SourceFile, Submission
from grader.source.program import MAX_SOURCE, Program


def program(**files: str) -> Program:
    given = tuple(SourceFile(f"{name}.py", text.encode()) for name, text in files.items())
    return Program(assemble("one", "one", Read(given, ())))


def test_a_file_that_is_too_long_or_does_not_parse_has_no_tree() -> None:
    files = {"long.py": "#" * (MAX_SOURCE + 1), "broken.py": "def f(:", "solution.py": "x = 1"}
    given = tuple(SourceFile(path, text.encode()) for path, text in files.items())
    assert set(Program(assemble("one", "one", Read(given, ()))).trees) == {"solution.py"}


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("def forward():\n    pass", 1),
        ("def forward():\n    pass\ndef forward():\n    pass", 3),
        ("def ahead():\n    pass\nforward = ahead", 1),
        ("class Net:\n    def forward(self):\n        pass\nnet = Net()\nforward = net.forward", 2),
        ("def forward():\n    def forward():\n        pass", 1),
        ("if True:\n    def forward():\n        pass", 2),
    ],
)
def test_the_contracts_function_is_the_one_that_counts(source: str, line: int) -> None:
    found = program(solution=source).contract("forward")
    assert found is not None
    assert found.node.lineno == line


def test_a_function_reaches_what_it_calls_but_not_the_contracts_others() -> None:
    source = (
        "class Layer:\n    def backward(self):\n        return helper()\n"
        "def helper():\n    return forward()\n"
        "def forward():\n    return 1\n"
        "def backward(cache):\n    return cache.backward()\n"
    )
    one = program(solution=source)
    names = [(f.owner, f.name) for f in one.reached("backward", without=["forward"])]
    assert names == [("", "backward"), ("Layer", "backward"), ("", "helper")]


def test_what_outlives_a_call_is_no_constant_and_no_function() -> None:
    source = (
        "from collections import namedtuple\nNAMES = ('a', 'b')\nEPS = 1e-9\n"
        "Cache = namedtuple('Cache', 'a b')\nLAST = {}\nnet = Net()\nrun = go\n"
        "def go():\n    global count\n    count = 1\n"
    )
    assert program(solution=source).outliving == {"LAST", "net", "count"}


@pytest.mark.parametrize(
    ("source", "passed"),
    [
        ("dZ1 = dH1", {"dZ1"}),
        ("dZ1 = dH1.copy()", {"dZ1"}),
        ("dZ1 = dH1 * 2", set()),
        ("a, b = c, d + 1", {"a"}),
        ("self.db = upstream", {"kept db"}),
        ('grads["b2"] = cache["dZ2"]', {"b2"}),
        ('grads = {"b2": dZ2, "W2": H1.T @ dZ2}', {"b2"}),
        ("grads = dict(b2=dZ2)", {"b2"}),
        ("db += dz", {"db"}),
        ("def f(x):\n    return x", {"return"}),
        ("def f(x):\n    x = x + 1\n    return x", set()),
        ("def f(a, x):\n    return a + 1, x", {"return"}),
    ],
)
def test_what_is_passed_on_gets_a_name(source: str, passed: set[str]) -> None:
    assert set(program(solution=source).passed_on.values()) == passed


def test_calls_are_resolved_without_a_look_at_every_function() -> None:
    count = 4_000
    text = "".join(f"def f{i}(x): return f{(i * 7 + 1) % count}(x)\n" for i in range(count))
    program = Program(Submission("a", "a", "", (SourceFile("a.py", text.encode()),), "a.py"))
    assert [len(list(program.resolved(ast.Name(f"f{i}")))) for i in range(count)] == [1] * count
    assert not list(program.resolved(ast.Name("g")))
