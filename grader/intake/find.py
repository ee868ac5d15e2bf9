"""From a path to submissions: which files belong together, and which one matters."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath

from grader.errors import CallerError, SubmissionError
from grader.intake.files import (
    MAX_ARCHIVE,
    MAX_FILE,
    Read,
    read_folder,
    read_regular,
    read_zip,
    wanted,
)
from grader.intake.identity import safe_id, unique_ids
from grader.intake.notebook import notebook_source
from grader.records import Defect, Severity, SourceFile, Submission

CONTRACT = ("forward", "backward", "torch_forward_backward", "verify")
KINDS = ".py, .ipynb or .zip"


def take_in(path: Path, *, id: str = "", name: str = "") -> Submission:
    """The submission at `path`. Raises `CallerError` when there is nothing there.

    A path that exists but holds nothing gradable still gives a submission,
    with a defect that says so: it belongs to a candidate, who gets an answer.
    """
    name = name or (path.name if path.is_dir() else path.stem) or path.resolve().name
    id = id or safe_id(name)
    if not path.exists() and not path.is_symlink():
        raise CallerError(f"{path}: there is no such file or folder")
    try:
        read = _read(path)
    except SubmissionError as error:
        return _empty(id, name, str(error))
    return assemble(id, name, read)


def _read(path: Path) -> Read:
    if path.is_dir():
        return read_folder(path)
    suffix = path.suffix.lower()
    if suffix not in (".py", ".ipynb", ".zip"):
        raise CallerError(f"{path}: not a folder, {KINDS}")
    limit = MAX_ARCHIVE if suffix == ".zip" else MAX_FILE
    data = read_regular(path, limit)
    if data is None:
        raise SubmissionError(f"no regular file, or larger than {limit >> 20} MiB")
    if suffix == ".zip":
        return read_zip(data)
    return Read((SourceFile(path.name, data),), ())


def assemble(id: str, name: str, read: Read) -> Submission:
    """A submission from its files: notebooks become modules, and the main file is found."""
    given = [_lower_suffix(f) for f in _without_common_folder(read.files)]
    taken = {f.path for f in given}
    files, defects = [], []
    for file in given:
        if file.path.endswith(".ipynb"):
            try:
                source = notebook_source(file.data)
                path = _module_path(file.path, taken)
                taken.add(path)
                files.append(SourceFile(path, source))
            except SubmissionError as error:
                defects.append(_unusable(f"{file.path}: {error}"))
        else:
            files.append(file)
    main = find_main(files)
    digest = _digest(files)
    if not main:
        return Submission(
            id, name, digest, tuple(files), "", passed_over=read.passed_over,
            defects=(*defects, _unusable("no Python file was found")),
        )  # fmt: skip
    answers = next((f.data.decode("utf-8", "replace") for f in files if _is_answers(f)), "")
    code = tuple(f for f in files if f.path.endswith(".py"))
    return Submission(
        id, name, digest, code, main, answers=answers, passed_over=read.passed_over,
        defects=tuple(defects),
    )  # fmt: skip


def _lower_suffix(file: SourceFile) -> SourceFile:
    """`SOLUTION.PY` is Python too, but no import finds it under that name."""
    path = PurePosixPath(file.path)
    lowered = path.with_suffix(path.suffix.lower()).as_posix()
    return SourceFile(lowered, file.data)


def _module_path(notebook: str, taken: set[str]) -> str:
    """Where a notebook's module stands: beside it, and not in the place of another file."""
    path = PurePosixPath(notebook)
    stem = re.sub(r"\W", "_", path.stem)
    while (module := (path.parent / f"{stem}.py").as_posix()) in taken:
        stem += "_notebook"
    return module


def find_main(files: list[SourceFile]) -> str:
    """The file that defines most of the contract; `solution.py` where that decides nothing."""
    python = [f for f in files if f.path.endswith(".py")]

    def rank(file: SourceFile) -> tuple[bool, int, bool, int, str]:
        text = file.data.decode("utf-8", "replace")
        defined = sum(bool(re.search(rf"^def {n}\b", text, re.MULTILINE)) for n in CONTRACT)
        path = PurePosixPath(file.path)
        exact = path.name == "solution.py" and defined > 0
        test = path.name.startswith("test") or path.name.endswith("_test.py")
        return (not exact, -defined, test, len(path.parts), file.path)

    return min(python, key=rank).path if python else ""


def find_submissions(path: Path) -> list[tuple[str, str, Path]]:
    """(id, name, path) of each submission in a cohort's folder, in the order of their names.

    Links are not followed: whoever fills the folder must not choose what else is read.
    Raises `CallerError` when there is none.
    """
    if not path.is_dir():
        raise CallerError(f"{path}: there is no such folder")
    entries = sorted(
        entry
        for entry in path.iterdir()
        if not entry.name.startswith((".", "__"))
        and not entry.is_symlink()
        and (entry.is_dir() or entry.suffix.lower() in (".py", ".ipynb", ".zip"))
    )
    if not entries:
        raise CallerError(f"{path}: no submissions (folders, {KINDS}) were found in it")
    names = [entry.name if entry.is_dir() else entry.stem for entry in entries]
    return list(zip(unique_ids(names), names, entries, strict=True))


def _is_answers(file: SourceFile) -> bool:
    return PurePosixPath(file.path).name.lower() == "answers.md"


def _without_common_folder(files: tuple[SourceFile, ...]) -> tuple[SourceFile, ...]:
    """Archives often wrap all in one folder; its name is none of the modules' business."""
    tops = {PurePosixPath(f.path).parts[0] for f in files}
    if len(tops) != 1 or any("/" not in f.path for f in files):
        return files
    prefix = tops.pop() + "/"
    if any(f.path == f"{prefix}__init__.py" for f in files):
        return files  # a package: its modules may import each other by its name
    return tuple(SourceFile(f.path.removeprefix(prefix), f.data) for f in files)


def _digest(files: list[SourceFile]) -> str:
    """sha256 over paths and bytes, independent of the order in which they were read."""
    total = hashlib.sha256()
    for file in sorted(files, key=lambda f: f.path):
        path = file.path.encode("utf-8", "surrogatepass")
        total.update(b"%d:%s:%d:" % (len(path), path, len(file.data)))
        total.update(file.data)
    return f"sha256:{total.hexdigest()}"


def _unusable(why: str) -> Defect:
    hint = "Hand in a folder with solution.py, or that file alone."
    return Defect("missing-function", Severity.MAJOR, f"Nothing could be graded: {why}.", hint)


def _empty(id: str, name: str, why: str) -> Submission:
    return Submission(id, name, _digest([]), (), "", defects=(_unusable(why),))


__all__ = ["assemble", "find_main", "find_submissions", "take_in", "wanted"]
