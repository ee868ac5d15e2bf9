"""What statements read, bind and change, and which of them run once."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from grader.child.binding.script.flow import Block, blocks, step_of


def block(text: str, number: int = 0) -> Block:
    return list(blocks(ast.parse(dedent(text))))[number]


def lines(block: Block, indices: list[int]) -> list[int]:
    return [block.statements[i].lineno for i in indices]


@pytest.mark.parametrize(
    ("text", "reads", "binds", "changes"),
    [
        ("a = b @ c", "b c", "a", ""),
        ("a, d = b, c", "b c", "a d", ""),
        ("a[i] -= b", "a i b", "", "a"),
        ("a += b", "a b", "", "a"),
        ("a = [b @ x for x in c]", "b c x", "a", ""),
        ("np.add.at(a, i, -1)", "np a i", "", "np a i"),
        ("np.exp(a, out=b)", "np a b", "", "np a b"),
        ("print(a)", "print a", "", ""),
        ("for i in n:\n    a[i] = b", "a b n", "", "a i"),
    ],
)
def test_a_statement(text: str, reads: str, binds: str, changes: str) -> None:
    step = step_of(ast.parse(text).body[0], {})
    assert step.reads - {"i"} == set(reads.split()) - {"i"}
    assert step.binds == set(binds.split())
    assert step.changes - {""} == set(changes.split())


def test_a_function_reads_what_its_text_reads() -> None:
    found = block(
        """
        def hidden():
            return helper() @ W1
        def helper():
            z = X
            return z
        H = hidden()
        """
    )
    assert {"X", "W1"} <= found.steps[0].reads
    assert "z" not in found.steps[0].reads


def test_a_slice_leaves_out_what_the_result_does_not_need() -> None:
    found = block("a = x\nb = x\nprint(b)\nc = a + 1\nd = c * 2\n")
    assert lines(found, found.slice(4, ["d"], frozenset({"x"}))) == [1, 4, 5]


def test_a_slice_keeps_a_change_under_another_name() -> None:
    found = block("P = f(x)\nG = P\nG[0] -= 1\nloss = P.sum()\n")
    assert lines(found, found.slice(3, ["loss"], frozenset({"x"}))) == [1, 2, 3, 4]


def test_a_name_that_is_bound_anew_ends_the_search() -> None:
    found = block("t = x\nt = y\nr = t\n")
    assert lines(found, found.slice(2, ["r"], frozenset({"x", "y"}))) == [2, 3]


TRAINING = """
X = 1
for epoch in range(9):
    Z = X
    W1 -= Z
after = Z
"""


def test_a_loop_that_trains_is_left_out_at_first_and_passed_once_then() -> None:
    assert [s.lineno for s in block(TRAINING, 0).statements] == [2, 6]
    assert [s.lineno for s in block(TRAINING, 1).statements] == [2, 4, 5]


def test_a_loop_over_examples_is_one_statement() -> None:
    found = block("for i in range(9):\n    P[i] = np.exp(Z[i])\n    loss -= P[i]\n")
    assert [type(s) for s in found.statements] == [ast.For]


def test_a_function_without_arguments_follows_module_level() -> None:
    text = """
    n = 3
    def main():
        a = n
        return a
    def other(x):
        return x
    if __name__ == "__main__":
        main()
    """
    assert [s.lineno for s in block(text, 1).statements] == [2, 4]


def test_a_function_that_needs_nothing_begins_with_its_defaults() -> None:
    found = block("def run(n=3, *, lr=0.1):\n    a = n * lr\n", 0)
    assert [ast.unparse(s) for s in found.statements] == ["n = 3", "lr = 0.1", "a = n * lr"]
