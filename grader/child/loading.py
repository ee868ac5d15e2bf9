"""Turning the bytes of a submission into a module (child's side).

The files live in memory only: there is no file system to read them from, and
the bytes that were hashed are the bytes that run. A plain import comes first.
Where a statement at module level raises or takes too long (a demo that needs
data, a training loop, a check that fails), it is left, and of what follows
only imports, definitions and assignments are executed.
"""

from __future__ import annotations

import ast
import builtins
import dis
import importlib.abc
import importlib.machinery
import linecache
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, process_time
from types import CodeType, FrameType, ModuleType
from typing import Any

from grader.child import definitions, standin
from grader.child.reports import DefinitionReport
from grader.source.cells import Note, compile_source, notes_on, parse

__all__ = [
    *("Clock", "Loader", "MemoryFinder", "TooLong", "compile_source", "is_stub", "load", "outline"),
    *("parse", "remember_lines"),
]

SECONDS = 2.0
"""Processor time for a module level that runs as it is; twice that on the clock."""

SECONDS_AFTER = 0.25
"""For each statement once one was left; a demo's helper may be a training loop as well."""

SECONDS_IN_ALL = 3.0
"""For all files of a submission; the calls that are graded have to fit in beside it."""

SECONDS_AT_LEAST = 0.002
"""For each statement even then: a definition takes microseconds."""

SECONDS_WAITING = 0.5
"""On the clock, whatever the processor time: a busy machine is no endless loop."""

MAX_NOTES = 20
NOTE_CHARS = 300
NOT_HIDDEN = ("numpy", *standin.FRAMEWORKS)
"""Packages that a mere folder of the same name does not hide, as in any Python."""


class TooLong(BaseException):
    """A module level was cut short. No `Exception`: a demo that catches those would go on."""


class Clock:
    """Looks at the time before each line of the submission's; raises `TooLong` past the end.

    A trace function, for in here there is neither a timer nor a thread. One long
    call into a library is not cut short, nor is a loop without a body; the judge's
    own deadline ends those.
    """

    def __init__(self, paths: Iterable[str], seconds: float) -> None:
        self.paths, self.cut, self.running = frozenset(paths), False, True
        self.last = process_time() + max(seconds, SECONDS_IN_ALL)
        self.loops: dict[CodeType, bool] = {}
        self.start(seconds)

    def start(self, seconds: float) -> None:
        """Allow `seconds` of processor time from now on, as far as there are any left."""
        if self.running:
            now, used = monotonic(), process_time()
            seconds = max(SECONDS_AT_LEAST, min(seconds, self.last - used))
            self.wall, self.cpu = now + seconds, used + seconds
            self.most = now + max(2 * seconds, SECONDS_WAITING)
            sys.settrace(self.enter)

    def stop(self) -> None:
        """Stop; a module imported by a call is that call's business."""
        self.running = False

    def enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Check the time at a call; follow a function with a loop line by line."""
        code = frame.f_code
        if code.co_filename not in self.paths:
            return None
        self.look()
        if code not in self.loops:
            self.loops[code] = _has_loop(code)
        return self.line if self.loops[code] else None

    def line(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Check the time before a line."""
        self.look()
        return self.line

    def look(self) -> None:
        """Raise `TooLong` when the time is up."""
        now = monotonic()
        if now > self.wall and (now > self.most or process_time() > self.cpu):
            self.cut = True
            raise TooLong("it took too long")


def _has_loop(code: CodeType) -> bool:
    """Return whether it can jump back."""
    return any(dis.opname[op].find("BACKWARD") >= 0 for op in code.co_code[::2])


class MemoryFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of a submission among the files below the folder `prefix`."""

    def __init__(self, loader: Loader, prefix: str = "") -> None:
        self.loader = loader
        start = len(prefix)
        self.paths = frozenset(p[start:] for p in loader.paths if p.startswith(prefix))
        self.prefix = prefix

    def path_of(self, name: str) -> str | None:
        """Return the file for a dotted module name, below the prefix."""
        words = name.split(".")
        stem = "/".join(words)
        dotted = ("/".join([*words[:i], ".".join(words[i:])]) for i in range(len(words) - 1))
        candidates = (f"{stem}.py", f"{stem}/__init__.py", *(f"{path}.py" for path in dotted))
        return next((path for path in candidates if path in self.paths), None)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        place = self.path_of(name)
        if place is None:
            stem = name.replace(".", "/")
            starts = (f"{stem}/", f"{stem}.")  # a folder, or a file such as `v1.2.py`
            inside = any(p.startswith(starts) and p.endswith(".py") for p in self.paths)
            if not inside or name in NOT_HIDDEN:
                return None
            spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = []
            return spec
        package = place.endswith("__init__.py")
        where = self.prefix + place
        return importlib.machinery.ModuleSpec(name, self, origin=where, is_package=package)

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None and module.__spec__.origin is not None
        module.__file__ = module.__spec__.origin
        self.loader.execute(module.__spec__.origin, module)


class Loader:
    """Loads one submission; `notes` says what of its module levels was not executed."""

    seconds = SECONDS
    """For a module level that nothing stops."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.paths = files, tuple(files)
        self.notes: list[Note] = []

    def code(self, path: str) -> CodeType:
        """Return the code of a file as it runs."""
        return compile_source(self.files[path], path)

    def tree(self, path: str) -> ast.Module:
        """Return the syntax tree of a file, for who executes some of its statements only."""
        return parse(self.files[path], path)

    def load(self, main: str) -> ModuleType:
        """Return the main module, registered under its name; its neighbours can be imported.

        Raises what the import raises when it defines nothing either way.
        """
        sys.meta_path.insert(0, MemoryFinder(self))
        folder = main.rpartition("/")[0]
        if folder:  # siblings of a nested main file import each other by their plain names
            sys.meta_path.insert(1, MemoryFinder(self, folder + "/"))
        module = _register(main)
        with self._surroundings(main), standin.lenience():
            self.execute(main, module)
        return module

    @contextmanager
    def _surroundings(self, main: str) -> Iterator[None]:
        """Provide what a script expects: `sys.argv`, IPython's functions; and the clock."""
        before, arguments = sys.gettrace(), sys.argv
        sys.argv = [main]
        for name, value in (("get_ipython", _ipython), ("display", print)):
            if not hasattr(builtins, name):
                setattr(builtins, name, value)
        self.clock = Clock(self.paths, self.seconds)
        try:
            yield
        finally:
            self.clock.stop()
            sys.settrace(before)
            sys.argv = arguments

    def execute(self, path: str, module: ModuleType) -> None:
        """Run a module level; past the first statement that fails, what it defines alone."""
        remember_lines(self.files[path], path)
        self.notes += notes_on(self.files[path], path)
        code = self.code(path)
        try:
            exec(code, module.__dict__)
        except BaseException as error:
            line = _line_in(error, code)
            self._note(path, line, error)
            tree = self.tree(path)
            rest = [s for s in tree.body if (s.end_lineno or s.lineno) >= line]
            flags = definitions.future_flags(tree)
            self._define(definitions.without_failed(rest, module), path, module, flags)
            self.clock.start(SECONDS_AFTER if self.clock.cut else self.seconds)
            if definitions.defines_nothing(tree, module):
                raise

    def _define(self, body: Sequence[ast.stmt], path: str, module: ModuleType, flags: int) -> None:
        """Execute what defines a name, each statement by itself, as far as it can be."""
        for statement in body:
            if not definitions.is_wanted(statement, module):
                continue
            self.clock.start(SECONDS_AFTER)
            try:
                definitions.run(statement, path, module, flags)
            except BaseException as error:
                if isinstance(statement, definitions.BLOCKS):
                    self._define(definitions.inner(statement, module), path, module, flags)
                elif isinstance(statement, ast.ImportFrom) and statement.level:
                    self._define(definitions.absolute(statement), path, module, flags)
                    if all(
                        n.name == "*" or (n.asname or n.name) in vars(module)
                        for n in statement.names
                    ):
                        at = (path, statement.lineno)  # its package is the folder that came
                        self.notes = [note for note in self.notes if note[:2] != at]
                elif isinstance(statement, definitions.DEFINITIONS):
                    self._note(path, statement.lineno, error)

    def _note(self, path: str, line: int, error: BaseException) -> None:
        kind = type(error).__name__
        try:
            text = str(error)
        except BaseException:  # an exception whose own __str__ raises
            text = ""
        if isinstance(error, SyntaxError) and error.filename and error.lineno:
            path, line, text = error.filename, error.lineno, error.msg
        note = Note(path, line, kind, text[:NOTE_CHARS].replace("\n", " "))
        if note not in self.notes and len(self.notes) < MAX_NOTES:
            self.notes.append(note)


def load(files: dict[str, bytes], main: str) -> tuple[ModuleType, list[Note]]:
    """Return the main module, and what of module level was not executed."""
    loader = Loader(files)
    return loader.load(main), loader.notes


# ── source ───────────────────────────────────────────────────────────────────


def remember_lines(data: bytes, path: str) -> None:
    """Give `linecache` (tracebacks, `inspect.getsource`) the text it cannot read from disk."""
    lines = data.decode("utf-8", "replace").splitlines(keepends=True)
    linecache.cache[path] = (len(data), None, lines, path)


# ── module level ─────────────────────────────────────────────────────────────


def _register(path: str) -> ModuleType:
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) != path:
        name = f"submission_{name}"  # `code.py`, `random.py`: others still need theirs
    module = ModuleType(name)
    module.__file__ = path
    if path.endswith("__init__.py"):
        module.__path__ = []
    module.__dict__["__builtins__"] = __builtins__
    sys.modules[name] = module
    return module


def _ipython(*_: Any, **__: Any) -> Any:
    """Return what `get_ipython()` gives: something that does nothing."""
    return standin.make(standin.Switch(), "IPython.shell")()


def _line_in(error: BaseException, code: CodeType) -> int:
    """Return the line of module level that was running; 1 when the error does not say."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is code:
            return trace.tb_lineno or 1
        trace = trace.tb_next
    return 1


# ── the outline ──────────────────────────────────────────────────────────────


def outline(tree: ast.Module) -> list[DefinitionReport]:
    """Return every function and class at module level."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    nodes = [node for node in tree.body if isinstance(node, kinds)]
    return [DefinitionReport(node.name, node.lineno, is_stub(node)) for node in nodes]


def is_stub(node: ast.AST) -> bool:
    """Return whether a body does nothing: docstring, `pass`, `...`, None, NotImplementedError.

    What is set to None, to zero or to something empty, and returned like that, is nothing too.
    """
    body: list[ast.stmt] = getattr(node, "body", [])
    unset = {t.id for s in body if isinstance(s, ast.Assign) and _is_unset(s.value)
             for t in s.targets if isinstance(t, ast.Name)}  # fmt: skip
    return all(_is_nothing(s) or _leaves_unset(s, unset) for s in body)


def _leaves_unset(statement: ast.stmt, unset: Collection[str]) -> bool:
    """Return whether a statement sets a name to nothing, or returns names that are."""
    if isinstance(statement, ast.Assign):
        return all(isinstance(t, ast.Name) and t.id in unset for t in statement.targets)
    if not isinstance(statement, ast.Return) or statement.value is None:
        return False
    value = statement.value
    given = value.elts if isinstance(value, ast.Tuple) else [value]
    return bool(given) and all(isinstance(v, ast.Name) and v.id in unset for v in given)


def _is_unset(value: ast.expr) -> bool:
    if isinstance(value, ast.Constant):
        return value.value is None or value.value == 0
    return (isinstance(value, ast.Dict) and not value.values) or (
        isinstance(value, ast.List) and not value.elts
    )


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
