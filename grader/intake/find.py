"""The submission at a path: its files, and the one that is imported."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath

from grader.errors import CallerError, SubmissionError
from grader.intake.answers import written_answers
from grader.intake.archives import read_archive
from grader.intake.encoding import refused_encoding
from grader.intake.files import (
    ARCHIVES,
    MAX_ARCHIVE,
    Read,
    limit_of,
    read_folder,
    read_regular,
    why_not,
)
from grader.intake.identity import safe_id
from grader.intake.main import choose, join_parts
from grader.intake.notebook import read_notebook
from grader.intake.settings import is_settings, settings_of
from grader.limits import FILES
from grader.records import SourceFile, Submission
from grader.source.extent import unread

KINDS = ".py, .ipynb, .zip or .tar.gz"
HOLDS_CODE = re.compile(rb"^[ \t\xef\xbb\xbf]*[^#\s]", re.MULTILINE)
MOST_NOTES = 10
MOST_OTHERS = 3
SUFFIXES = (".py", ".ipynb", *ARCHIVES)


def suffix_of(name: str) -> str:
    """Return the suffix by which a file is read, as it stands in `name`; "" for other kinds."""
    known = sorted(SUFFIXES, key=len, reverse=True)  # .tar.gz before .gz
    suffix = next((s for s in known if name.lower().endswith(s)), "")
    return name[len(name) - len(suffix) :] if suffix and len(name) > len(suffix) else ""


def take_in(
    path: Path, *, id: str = "", name: str = "", leave_out: Path | None = None
) -> Submission:
    """Return the submission at `path`. Raises `CallerError` when there is nothing there.

    A path that exists but holds nothing gradable still gives a submission,
    with a defect that says so: it belongs to a candidate, who gets an answer.
    `leave_out` is a folder in it that is not read: the results of an earlier run.
    """
    is_named = bool(name)
    stem = path.name if path.is_dir() else path.name.removesuffix(suffix_of(path.name))
    name = name or stem or path.resolve().name
    id = id or safe_id(name)
    if not path.exists() and not path.is_symlink():
        raise CallerError(f"{path}: there is no such file or folder")
    try:
        read = _read(path, leave_out)
    except SubmissionError as error:
        return empty(id, name, str(error))
    return assemble(id, name, read, renamed=not is_named)


def _read(path: Path, leave_out: Path | None) -> Read:
    if path.is_dir():
        return read_folder(path, leave_out)
    suffix = suffix_of(path.name).lower()
    if not suffix:
        raise CallerError(f"{path}: not a folder, {KINDS}")
    limit = MAX_ARCHIVE if suffix in ARCHIVES else limit_of(path.name)
    data = read_regular(path, limit)
    if data is None:
        why = why_not(path, limit)
        then = ": hand in your own source only" if why.too_large else ""
        raise SubmissionError(f"{path.name} is {why.words}{then}")
    if suffix in ARCHIVES:
        return read_archive(path.name, data)
    return Read((SourceFile(path.name, data),), ())


def assemble(id: str, name: str, read: Read, *, renamed: bool = False) -> Submission:
    """Return a submission from its files: notebooks become modules, and the main file is found.

    `renamed`: the name that the candidate gives in `submission.yaml` may take the place of `name`.
    """
    try:
        read = with_inner(read)
    except SubmissionError as error:
        return empty(id, name, str(error), read.explained)
    read_files = [_lower_suffix(f) for f in _without_common_folder(read.files)]
    wishes = settings_of(read_files)
    files, unusable, prose, notes = _with_modules(read_files)
    hollow = bool(unusable) and unusable == [
        _no_cells(f.path) for f in read_files if _is_notebook(f)
    ]
    files, undecodable = _decodable(files)
    main = choose(files)
    digest = _digest([*files, *_of_text_cells(prose)])
    name = wishes.name if renamed and wishes.name else name
    code = [f for f in files if f.path.endswith(".py")]
    known = {f.path for f in (*code, *filter(is_settings, files), *filter(_is_answers, files))}
    beside = (f.path for f in files if f.path not in known)
    passed_over = (*read.explained, *beside, *undecodable)
    why = _why_nothing(code, main.path, read, undecodable)
    if why:
        return Submission(
            id, name, digest, tuple(files), "", passed_over=passed_over,
            unusable=tuple(unusable or [why]), notes=wishes.notes,
            left_out=tuple(notes[:MOST_NOTES]), blank=bool(main.path) or hollow,
        )  # fmt: skip
    answers = next((f.data.decode("utf-8", "replace") for f in files if _is_answers(f)), "")
    too_much = unread(code, main.path)
    notes += [f"{p} is not read, only run: it has {why}" for p, why in too_much.items()]
    written = written_answers(answers, prose, [f for f in code if f.path not in too_much])
    path = main.path
    if main.parts:
        code.insert(0, join_parts(main.parts, code))
        path = code[0].path
    return Submission(
        id, name, digest, tuple(code), path, wishes.names, answers, passed_over, tuple(unusable),
        main.parts, wishes.notes, written=written,
        unread=tuple(too_much), left_out=tuple(notes[:MOST_NOTES]),
    )  # fmt: skip


def with_inner(read: Read) -> Read:
    """Return `read`, or what is in the archive inside it where it has no code itself.

    Raises `SubmissionError` when that has none either.
    """
    if read.has_code or read.inner is None:
        return read
    outer = read.inner.path
    inner = read_archive(outer, read.inner.data)
    if not inner.has_code:
        deeper = " but another archive" if inner.inner else ""
        raise SubmissionError(f"{outer} holds no Python file{deeper}: hand in the files themselves")
    folder = PurePosixPath(outer).name.removesuffix(suffix_of(outer)) + "/"
    files = tuple(SourceFile(folder + f.path, f.data) for f in inner.files)
    passed = [p for p in read.passed_over if p != outer] + [folder + p for p in inner.passed_over]
    reasons = dict(read.reasons) | {folder + p: why for p, why in inner.reasons.items()}
    large = (read.too_large - {outer}) | {folder + p for p in inner.too_large}
    return Read((*read.files, *files), tuple(passed), reasons, too_large=frozenset(large))


def _with_modules(
    read_files: list[SourceFile],
) -> tuple[list[SourceFile], list[str], list[str], list[str]]:
    """Return the files with each notebook as a module, the unusable notebooks, text cells, and
    what of the notebooks is not used."""
    paths = {f.path for f in read_files}
    files, unusable, prose, notes = list[SourceFile](), list[str](), list[str](), list[str]()
    for file in read_files:
        if not file.path.endswith(".ipynb"):
            files.append(file)
            continue
        try:
            notebook = read_notebook(file.data)
            if not notebook.cells:
                unusable.append(_no_cells(file.path))
                continue
        except SubmissionError as error:
            unusable.append(f"{file.path}: {error}")
            continue
        prose += notebook.prose
        notes += [f"{file.path}: {note}" for note in notebook.notes]
        folder = PurePosixPath(file.path).parent
        path = _module_path(file.path, paths)
        written = [((folder / name).as_posix(), data) for name, data in notebook.written]
        for where, data in [(path, notebook.source), *written]:
            if where not in paths and len(paths) < FILES:
                paths.add(where)
                files.append(SourceFile(where, data))
        if len(paths) >= FILES:
            notes.append(
                f"{file.path}: with what its cells write there are more than {FILES} files"
            )
    return files, unusable, prose, notes


def _is_notebook(file: SourceFile) -> bool:
    """Return whether a file is a notebook by its name."""
    return file.path.endswith(".ipynb")


def _no_cells(path: str) -> str:
    return f"{path}: this notebook has no code cells"


def _decodable(files: list[SourceFile]) -> tuple[list[SourceFile], list[str]]:
    """Return the files that can be decoded in reasonable time, and those left out, and why."""
    named = {f.path: refused_encoding(f.data) for f in files if f.path.endswith(".py")}
    readable = [f for f in files if not named.get(f.path)]
    return readable, [f"{path} (its encoding is {name})" for path, name in named.items() if name]


def _why_nothing(code: list[SourceFile], main: str, read: Read, unread: list[str]) -> str:
    """Return why there is nothing to grade, "" when there is something."""
    if not main and unread:
        return f"no Python file can be read, only {unread[0]}"
    if not main:
        large = next((p for p in read.passed_over if p in read.too_large), "")
        others = [f.path for f in read.files] + list(read.passed_over)
        others = [f"{large} ({read.reasons[large]})"] if large else others[:MOST_OTHERS]
        only = f"only {', '.join(others)}" if others else "it is empty"
        return f"no Python file was found, {only}"
    return _why_blank(code, main)


def _why_blank(code: list[SourceFile], main: str) -> str:
    """Return that the files hold no statement, "" when they do."""
    if not any(f.data.removeprefix(b"\xef\xbb\xbf").strip() for f in code):
        return f"{main} is empty" if len(code) == 1 else "all Python files are empty"
    if not any(HOLDS_CODE.search(f.data) for f in code):
        return f"{main} holds nothing but comments" if len(code) == 1 else "there are only comments"
    return ""


def _lower_suffix(file: SourceFile) -> SourceFile:
    """Return `SOLUTION.PY` is Python too, but no import finds it under that name."""
    path = PurePosixPath(file.path)
    lowered = path.with_suffix(path.suffix.lower()).as_posix()
    return SourceFile(lowered, file.data)


def _module_path(notebook: str, paths: set[str]) -> str:
    """Return the path of a notebook's module: beside it, and not in the place of another file."""
    path = PurePosixPath(notebook)
    stem = re.sub(r"\W", "_", path.stem)
    while (module := (path.parent / f"{stem}.py").as_posix()) in paths:
        stem += "_notebook"
    return module


def _is_answers(file: SourceFile) -> bool:
    return PurePosixPath(file.path).name.lower() == "answers.md"


def _without_common_folder(files: tuple[SourceFile, ...]) -> tuple[SourceFile, ...]:
    """Return the files without the one folder that an archive often wraps them in."""
    tops = {PurePosixPath(f.path).parts[0] for f in files}
    if len(tops) != 1 or any("/" not in f.path for f in files):
        return files
    prefix = tops.pop() + "/"
    if any(f.path == f"{prefix}__init__.py" for f in files):
        return files  # a package: its modules may import each other by its name
    return tuple(SourceFile(f.path.removeprefix(prefix), f.data) for f in files)


def _of_text_cells(prose: list[str]) -> list[SourceFile]:
    """Return a notebook's text as one more file: what is shown and marked is digested."""
    data = "\0".join(prose).encode("utf-8", "surrogatepass")
    return [SourceFile("\0text cells", data)] if prose else []


def _digest(files: list[SourceFile]) -> str:
    """Return the sha256 of paths and bytes, whatever the order of reading."""
    total = hashlib.sha256()
    for file in sorted(files, key=lambda f: f.path):
        path = file.path.encode("utf-8", "surrogatepass")
        total.update(b"%d:%s:%d:" % (len(path), path, len(file.data)))
        total.update(file.data)
    return f"sha256:{total.hexdigest()}"


def empty(id: str, name: str, why: str, passed_over: tuple[str, ...] = ()) -> Submission:
    """Return a submission of which nothing can be graded, and why."""
    return Submission(id, name, _digest([]), (), "", passed_over=passed_over, unusable=(why,))
