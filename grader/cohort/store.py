"""Results on disk: each file written whole or not at all, and reused only when nothing changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TextIO

from grader import __version__
from grader.cohort.engine import Settings
from grader.errors import CallerError
from grader.records import UnjudgedReason
from grader.report.document import SCHEMA_VERSION
from grader.report.stored import is_undecided
from grader.rubric import Rubric

REUSE_KEY = "reuse_key"
RUN_FILE = "run.json"
TEMPORARY = re.compile(r"^\..+\.[0-9a-f]{8}\.tmp")
"""The names under which files of ours are written."""
RUBRIC_FILE, CONTRACT_FILE = "rubric.yaml", "contract.yaml"


def write_whole(path: Path, text: str) -> None:
    """Write `text` to `path` whole or not at all; see `writing_whole`."""
    with writing_whole(path) as stream:
        stream.write(text)


@contextmanager
def writing_whole(path: Path) -> Iterator[TextIO]:
    """Return a stream to `path` by way of a temporary name in the same folder.

    A reader sees the old file or the new one, never half of one, and an
    interrupted run leaves no half file behind under the real name. Once this
    returns, a power cut does not undo it: file and folder have reached the disk.
    A link that stands at `path` is replaced, not followed. Raises `CallerError`
    when the place cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        _make_folder(path.parent)
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise CallerError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):  # the place may be gone altogether
            temporary.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Make the folder and every missing one above it; each new name reaches the disk."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Wait until the names in `folder` have reached the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what a run that was killed while it wrote has left in `folder`, and nothing else."""
    for left in folder.glob(".*.tmp"):
        if TEMPORARY.fullmatch(left.name):
            left.unlink(missing_ok=True)


def reuse_key(
    submission_digest: str, rubric_digest: str, settings: Settings, contract_digest: str = ""
) -> str:
    """Return what a result depends on beside its seed, as one digest.

    Of a candidate's result the seed must stay secret, and a short one could be guessed from it.
    """
    facts = {
        "submission": submission_digest,
        "rubric": rubric_digest,
        "contract": contract_digest,
        **versions(),
        "seconds": settings.allowance.seconds,
        "memory": settings.allowance.limits.memory_bytes,
        "unconfined": settings.unconfined,
        "mends": settings.mends,
    }
    text = json.dumps(facts, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def read_result(path: Path) -> dict[str, Any] | None:
    """Return the result stored at `path`; None when there is none that can be read."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


RESULT_MEMBERS: Mapping[str, type] = {
    "submission": dict, "rubric": dict, "status": str, "parts": list, "checks": list,
    "defects": list, "isolation": dict,
}  # fmt: skip


def holds_result(document: Mapping[str, Any] | None) -> bool:
    """Return whether a document has the members of a `result.json`, each of its kind."""
    return document is not None and all(
        isinstance(document.get(name), kind) for name, kind in RESULT_MEMBERS.items()
    )


def reusable(document: Mapping[str, Any] | None, key: str, seed: int | None = None) -> bool:
    """Return whether a stored result may stand for a new one, one of `seed` if that is given.

    Undecided ones are tried again, and so is what ran out of time before it was judged, and what
    another version of the schema tells.
    """
    if document is None or document.get(REUSE_KEY) != key or is_undecided(document):
        return False
    if document.get("schema_version") != SCHEMA_VERSION:
        return False
    unjudged = document.get("unjudged") or {}
    if unjudged.get("reason") == UnjudgedReason.UNENDED.value:
        return False
    return seed is None or document.get("seed") == seed


def remember_seed(out: Path, seed: int) -> None:
    """Note a run's seed before its first result, for whoever has to repeat what it graded."""
    write_whole(out / RUN_FILE, json.dumps({"schema_version": 1, "seed": seed}) + "\n")


def remember_rubric(out: Path, rubric: Rubric) -> None:
    """Keep the rubric beside its results: a human marks by its guidance, and totals need it.

    So is the contract, the rubric's own or another, for whoever grades in the same way elsewhere.
    """
    write_whole(out / RUBRIC_FILE, rubric.text.decode("utf-8"))
    if rubric.contract is None:
        (out / CONTRACT_FILE).unlink(missing_ok=True)
        return
    contract = rubric.contract.model_dump(mode="json", exclude_defaults=True)
    write_whole(out / CONTRACT_FILE, json.dumps({"contract": contract}, indent=1) + "\n")


def remember_submissions(out: Path, ids: Sequence[str]) -> None:
    """Note which results belong to the last run: others may lie there from earlier ones."""
    document = (read_result(out / RUN_FILE) or {}) | {"submissions": list(ids)}
    write_whole(out / RUN_FILE, json.dumps(document) + "\n")


def result_files(out: Path) -> dict[str, Path]:
    """Return by id the results in `out`: those of its last run, or all after an aborted one."""
    folder = out / "submissions"
    if not folder.is_dir():
        path = out / "result.json"
        document = read_result(path)
        if document is None or not holds_result(document):
            return {}
        return {str(document["submission"].get("id", out.name)): path}
    run = read_result(out / RUN_FILE) or {}
    noted = run.get("submissions")
    ids = noted if isinstance(noted, list) and noted else None
    ids = ids or sorted(p.name for p in folder.iterdir() if p.is_dir())
    paths = {str(id): folder / str(id) / "result.json" for id in ids if "/" not in str(id)}
    return {id: path for id, path in paths.items() if path.is_file()}


def versions() -> dict[str, str]:
    """Return what computes a result, with versions; the same on every machine of a run."""
    return {"grader": __version__, "numpy": _version("numpy"), "torch": _version("torch")}


@cache
def _version(package: str) -> str:
    """Return the version of a package; looking it up on disk takes some 0.7 ms."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
