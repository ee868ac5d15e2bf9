"""Forms of Python 2's, and what Python 3 has for them."""

from __future__ import annotations

import pytest

from grader.source.corrections.python2 import modern


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("print x", "print(x)"),
        ("    print 'a: %d' % a, b  # says", "    print('a: %d' % a, b)  # says"),
        ("print 'a',", "print('a', end=\" \")"),
        ("print", "print()"),
        ("print >> sys.stderr, x", "print(x, file=sys.stderr)"),
        ("if bad: print 'no'", "if bad: print('no')"),
        ("except ValueError, error:", "except ValueError as error:"),
        ("raise ValueError, 'no'", "raise ValueError('no')"),
        ("exec 'x = 1'", "exec('x = 1')"),
        ("if a <> b:", "if a != b:"),
        ("s = `x`", "s = repr(x)"),
        ("n = 10L", "n = 10"),
        ("n = 0777", "n = 0o777"),
    ],
)
def test_a_line(old: str, new: str) -> None:
    assert [edit.text for edit in modern([old], 1)] == [new]


def test_a_statement_over_several_lines() -> None:
    lines = ["print 'x: %d, %d' % (a,", "    b)  # both"]
    assert [e.text for e in modern(lines, 1)] == ["print('x: %d, %d' % (a,", "    b))  # both"]


@pytest.mark.parametrize(
    "line", ["print(x)", "printed = 1", "x = print", "print = 3", "Z1 = X @ W1"]
)
def test_what_python_3_reads_stays(line: str) -> None:
    assert modern([line], 1) == []
