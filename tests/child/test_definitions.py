"""Which statements of a module level are executed once one has failed."""

from __future__ import annotations
import __future__

import ast
from types import ModuleType

import pytest

from grader.child import definitions


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("x = 1", True), ("import os", True), ("def f(): ...", True), ("if a:\n    x = 1", True),
     ("print(1)", False), ("for i in r: x = i", False), ("assert x", False),
     ("numpy.seterr(all='raise')", True), ("other.go()", False)],
)  # fmt: skip
def test_what_defines_is_wanted(text: str, wanted: bool) -> None:
    module = ModuleType("m")
    vars(module)["numpy"] = ModuleType("numpy")
    (statement,) = ast.parse(text).body
    assert definitions.is_wanted(statement, module) is wanted


def test_of_a_failed_if_the_branch_that_its_test_selects() -> None:
    (block,) = ast.parse("if flag:\n    a = 1\nelse:\n    b = 2").body
    module = ModuleType("m")
    vars(module)["flag"] = False
    assert [ast.unparse(s) for s in definitions.inner(block, module)] == ["b = 2"]
    del module.flag
    assert definitions.inner(block, module) == []


def test_flags_of_the_future_go_with_each_statement() -> None:
    tree = ast.parse("from __future__ import annotations\nx: Missing = 1")
    assert definitions.future_flags(tree) == __future__.annotations.compiler_flag
