"""Turning the bytes of a submission into a module (child's side).

The files live in memory only: there is no file system to read them from, and
the bytes that were hashed are the bytes that run.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import linecache
import sys
from types import CodeType, ModuleType
from typing import Any

DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class MemoryFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of a submission among the bytes it came as."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def path_of(self, name: str) -> str | None:
        """The submission's file for a dotted module name."""
        stem = name.replace(".", "/")
        candidates = (f"{stem}.py", f"{stem}/__init__.py")
        return next((path for path in candidates if path in self.files), None)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        found = self.path_of(name)
        if found is None:
            folder = name.replace(".", "/") + "/"
            if not any(p.startswith(folder) and p.endswith(".py") for p in self.files):
                return None
            spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = []
            return spec
        package = found.endswith("__init__.py")
        return importlib.machinery.ModuleSpec(name, self, origin=found, is_package=package)

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None and module.__spec__.origin is not None
        path = module.__spec__.origin
        module.__file__ = path
        exec(compile_source(self.files[path], path), module.__dict__)


def compile_source(data: bytes, path: str) -> CodeType:
    """The code of `data`; its lines are remembered, so that tracebacks can quote them."""
    remember_lines(data, path)
    return compile(data, path, "exec", dont_inherit=True)


def remember_lines(data: bytes, path: str) -> None:
    """Give `linecache` (tracebacks, `inspect.getsource`) the text it cannot read from disk."""
    lines = data.decode("utf-8", "replace").splitlines(keepends=True)
    linecache.cache[path] = (len(data), None, lines, path)


def load(files: dict[str, bytes], main: str) -> tuple[ModuleType, str]:
    """The main module, and "" or why only its definitions were executed.

    A plain import first. When a statement at module level raises (a demo that
    needs data, a check that fails), the imports, definitions and what
    assignments can be made are executed alone. Raises what the import raises
    when the definitions alone cannot be had either.
    """
    finder = MemoryFinder(files)
    sys.meta_path.insert(0, finder)
    name = main.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    folder = main.rpartition("/")[0]
    if folder:  # siblings of a nested main file import each other by their plain names
        inside = {p.removeprefix(folder + "/"): d for p, d in files.items() if p != main}
        sys.meta_path.insert(1, MemoryFinder(inside))
    code = compile_source(files[main], main)
    module = _register(name, main)
    try:
        exec(code, module.__dict__)
        return module, ""
    except BaseException as error:
        reason = f"{type(error).__name__} at module level"
        module = _register(name, main)
        if not _definitions_only(files[main], main, module):
            raise
        return module, reason


def _register(name: str, path: str) -> ModuleType:
    module = ModuleType(name)
    module.__file__ = path
    if path.endswith("__init__.py"):
        module.__path__ = []
    module.__dict__["__builtins__"] = __builtins__
    sys.modules[name] = module
    return module


def _definitions_only(data: bytes, path: str, module: ModuleType) -> bool:
    """Execute imports, definitions and simple assignments; whether all definitions worked."""
    for statement in ast.parse(data, path).body:
        is_definition = isinstance(statement, DEFINITIONS)
        if not is_definition and not isinstance(statement, ast.Assign | ast.AnnAssign):
            continue
        code = compile(ast.Module([statement], []), path, "exec", dont_inherit=True)
        try:
            exec(code, module.__dict__)
        except BaseException:
            if is_definition:
                return False
    return True


def outline(data: bytes, path: str) -> list[tuple[str, int, bool]]:
    """(name, line, is a stub) of every function and class at module level."""
    tree = ast.parse(data, path)
    defined = (ast.FunctionDef, ast.ClassDef)
    return [(n.name, n.lineno, is_stub(n)) for n in tree.body if isinstance(n, defined)]


def is_stub(node: ast.AST) -> bool:
    """Whether a body does nothing: docstring, `pass`, `...`, `return None`, NotImplementedError."""
    return all(_is_nothing(s) for s in getattr(node, "body", []))


def _is_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()) | ast.Return(value=None):
            return True
        case ast.Return(value=ast.Constant(value=None)):
            return True
        case ast.Raise(exc=ast.Name(id="NotImplementedError")):
            return True
        case ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError"))):
            return True
    return False
