"""What is known of one submission: its functions, its lines, and how its calls ended."""

from __future__ import annotations

import ast

from grader.defects.clues import line_of, spot_of
from grader.observe.trace import Trace
from grader.records import Ended
from grader.source.program import Spot
from tests.checks.simulation import ends, simulated
from tests.defects.planted_clues import clues_of
from tests.defects.test_facts import network, traced

SOURCE = """\
def helper(a):
    return a + 1


def forward(X, y):
    return helper(X)


def backward(cache):
    return forward(cache, 2)


def torch_forward_backward(X, y):
    return backward(X)
"""


def test_the_contracts_functions_are_not_entered_from_one_another() -> None:
    clues = clues_of(SOURCE)
    assert [f.name for f in clues.reached("forward")] == ["forward", "helper"]
    assert [f.name for f in clues.reached("backward")] == ["backward"]
    both = [f.name for f in clues.reached("backward", "forward")]
    assert both == ["backward", "forward", "helper"]


def test_nodes_come_function_by_function_in_the_order_of_the_source() -> None:
    calls = [
        (f.name, n.lineno)
        for f, n in clues_of(SOURCE).nodes("backward", "forward")
        if isinstance(n, ast.Return)
    ]
    assert calls == [("backward", 10), ("forward", 6), ("helper", 2)]
    text = "def forward(X):\n    if a(b(1)):\n        c()\n    d()\n"
    names = [n.id for _, n in clues_of(text).nodes("forward") if isinstance(n, ast.Name)]
    assert names == ["a", "b", "c", "d"]


def test_a_call_that_was_cut_short_leaves_nothing_to_compare() -> None:
    late = clues_of(SOURCE, view=simulated(ends("backward/primes", Ended.TIMEOUT)))
    assert late.ended("forward/primes")
    assert not late.ended("forward/primes", "backward/primes")
    raised = clues_of(SOURCE, view=simulated(ends("backward/primes", Ended.RAISED)))
    assert raised.ended("backward/primes")
    never = clues_of(SOURCE, view=simulated(ends("forward/primes", Ended.NOT_RUN)))
    assert not never.ended("forward/primes")


def test_the_trace_of_the_pytorch_part_is_read_once_and_late() -> None:
    asked, own, theirs = [], Trace(reason="NumPy"), Trace(reason="PyTorch")

    def tracer() -> Trace:
        asked.append("now")
        return theirs

    clues = clues_of(SOURCE, view=simulated(trace=own), torch_trace=tracer)
    assert clues.trace(torch=False) is own
    assert clues.named.trace is own
    assert asked == []
    assert clues.trace(torch=True) is theirs
    assert clues.torch_named.trace is theirs
    assert asked == ["now"]


def test_the_text_of_a_line() -> None:
    lines = {"a.py": ("def f():", "    return 1")}
    assert line_of(Spot("a.py", 2, 2), lines) == "return 1"
    assert line_of(Spot("a.py", 1, 2), lines) == "def f():"
    for nowhere in (Spot("a.py", 0, 0), Spot("a.py", 3, 3), Spot("b.py", 1, 1)):
        assert line_of(nowhere, lines) is None
    assert clues_of(SOURCE).line(Spot("solution.py", 6, 6)) == "return helper(X)"


def test_a_traced_expression_stands_somewhere(monkeypatch) -> None:
    source = network("dZ1 = (dH1 *\n       (Z1 > 0))")
    trace = traced(source, monkeypatch)
    (value,) = (v for v in trace.values if trace.text(v).startswith("dH1 *"))
    line = source[: source.index("dZ1 = (")].count("\n") + 1
    assert spot_of(value) == Spot("solution.py", line, line + 1)
