"""Which statements of a module level define what functions need (child's side)."""

from __future__ import annotations
import __future__

import ast
from collections.abc import Callable
from types import CodeType, ModuleType

from grader.child import instrument

DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)
BLOCKS = (ast.If, ast.Try, ast.With)

Weave = Callable[[ast.Module, str], CodeType]
"""Makes code of some statements of a file; a tracer's reports what their expressions are."""


def plain_code(tree: ast.Module, path: str) -> CodeType:
    """Return the code of a tree as it stands."""
    return compile(tree, path, "exec", dont_inherit=True)


def run(statement: ast.stmt, path: str, module: ModuleType, flags: int) -> None:
    """Execute one statement of a file in its module."""
    code = compile(ast.Module([statement], []), path, "exec", flags, dont_inherit=True)
    exec(code, module.__dict__)


def future_flags(tree: ast.Module) -> int:
    """Return the flags of a file's `from __future__ import …`, for statements by themselves."""
    flags = 0
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for alias in statement.names:
                flags |= getattr(getattr(__future__, alias.name, None), "compiler_flag", 0)
    return flags


def is_wanted(statement: ast.stmt, module: ModuleType) -> bool:
    """Return whether a statement may define what functions need: never a loop, a print, a check."""
    if isinstance(statement, (*DEFINITIONS, *ASSIGNMENTS)):
        return True
    if isinstance(statement, BLOCKS):
        return any(isinstance(s, (*DEFINITIONS, *ASSIGNMENTS)) for s in ast.walk(statement))
    return isinstance(statement, ast.Expr) and _is_setting(statement.value, module)


def _is_setting(value: ast.expr, module: ModuleType) -> bool:
    """Return whether it calls a module's function, as `torch.set_default_dtype(torch.float64)`."""
    if isinstance(value, ast.Call) and getattr(value.func, "id", "") == instrument.SEE:
        value = value.args[1]
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return False
    root: ast.expr = value.func
    while isinstance(root, ast.Attribute):
        root = root.value
    return isinstance(root, ast.Name) and isinstance(vars(module).get(root.id), ModuleType)


def without_failed(rest: list[ast.stmt], module: ModuleType) -> list[ast.stmt]:
    """Return `rest`, whose first statement has failed: only what it holds is tried again."""
    if rest and isinstance(rest[0], BLOCKS):
        return [*inner(rest[0], module), *rest[1:]]
    return rest if rest and isinstance(rest[0], DEFINITIONS) else rest[1:]


def inner(block: ast.stmt, module: ModuleType) -> list[ast.stmt]:
    """Return the statements of a block that failed as a whole; of an `if` those it selects."""
    if isinstance(block, ast.If):
        try:
            code = compile(ast.Expression(block.test), "<test>", "eval", dont_inherit=True)
            return block.body if eval(code, module.__dict__) else block.orelse
        except BaseException:
            return []
    inner: list[ast.stmt] = []
    for name in ("body", "orelse", "finalbody"):
        inner += getattr(block, name, [])
    return inner


def absolute(statement: ast.ImportFrom) -> list[ast.stmt]:
    """Return `from .utils import f` of a file that is in no package, as `from utils import f`."""
    if statement.module:
        alone: ast.stmt = ast.ImportFrom(statement.module, statement.names, 0)
    else:
        alone = ast.Import(statement.names)
    return [ast.copy_location(alone, statement)]


def defines_nothing(tree: ast.Module, module: ModuleType) -> bool:
    """Return whether the file has functions or classes, and none of them came to be."""
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    names = [s.name for s in tree.body if isinstance(s, defined)]
    return bool(names) and not any(name in vars(module) for name in names)
