"""Gradescope's `results.json`, and an autograder that writes it there for each submission.

For a run of one submission `--output` is the folder of its `results.json`; for a cohort it gets
a folder for each, and `autograder.zip`, ready to be uploaded: the grader itself, the rubric,
the versions in use, `setup.sh` and `run_autograder`.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Collection, Mapping
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

from grader.bundled import PACKAGE, bundled
from grader.cohort.store import CONTRACT_FILE, write_whole
from grader.errors import CallerError
from grader.export.entry import Done, Job, counting, feedback, unscored
from grader.report.audience import told_check
from grader.report.escape import visible
from grader.report.stored import is_decided
from grader.review import Reviewed
from grader.rubric import Rubric

SCRIPTS = ("setup.sh", "run_autograder")
VISIBLE = "visible"
MOST_LETTERS = 8000
EXECUTABLE, PLAIN = 0o755, 0o644
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Of every member, so that the same grader packs to the same bytes."""


def write(job: Job) -> Done:
    """Return the files of one submission, or of a cohort with its autograder.

    A submission without a score gets none: Gradescope would show a missing score as zero.
    """
    single = (job.folder.out / "result.json").is_file() and len(job.folder.paths) == 1
    count, left_out = 0, []
    for reviewed in job.folder.all_reviewed():
        if not is_decided(reviewed.document):
            left_out.append(unscored(reviewed.id, reviewed.document))
            continue
        where = job.output if single else job.output / reviewed.id
        text = json.dumps(results(reviewed), indent=1, allow_nan=False)
        write_whole(where / "results.json", text + "\n")
        count += 1
    if not single:
        rubric = job.folder.rubric(job.folder.result(next(iter(job.folder.paths))))
        pack(job.output / "autograder.zip", rubric, job.folder.out / CONTRACT_FILE)
    return Done(job.output, count, tuple(left_out))


def results(reviewed: Reviewed) -> dict[str, Any]:
    """Return one submission as Gradescope shows it. Nothing in it is read as HTML or ANSI.

    `score` stands over the sum of the tests: gates and bonuses are in it. It holds what a
    candidate may see.
    """
    document = reviewed.document
    marked = {mark["id"] for mark in counting(document, "marks")}
    scored = [c for c in document["checks"] if c["max_points"] or c["status"] == "fail"]
    return {
        "score": float(document["score"]),
        "output": _text("\n".join(feedback(reviewed))),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": VISIBLE,
        "stdout_visibility": "hidden",
        "execution_time": round(float(document["timing"].get("wall_s") or 0.0)),
        "tests": [_test(n, c, marked) for n, c in enumerate(scored, start=1)],
        "extra_data": {
            "max_score": float(document["max_score"]),
            "open_points": float(document["open_points"]),
            "band": document["band"],
            "rubric": document["rubric"]["digest"],
            "grader": document["grader_version"],
        },
    }


def _test(number: int, check: Mapping[str, Any], marked: Collection[str]) -> dict[str, Any]:
    """Return one check. An open one has no points yet, and neither passed nor failed."""
    lines = [told_check(check)]
    if check["explained_by"]:
        lines.append(f"Only because of {' and '.join(check['explained_by'])}.")
    if check["status"] == "fail" and check.get("hint"):
        lines.append(check["hint"])
    test: dict[str, Any] = {
        "name": _text(str(check.get("title") or check["id"])),
        "name_format": "text",
        "number": str(number),
        "output": _text("\n".join(map(str, lines))),
        "output_format": "text",
        "tags": [str(check["part"])],
        "visibility": VISIBLE,
    }
    if check["status"] in ("pass", "fail", "skipped") or check["id"] in marked:
        test |= {"score": float(check["points"]), "max_score": float(check["max_points"])}
    if check["status"] in ("pass", "fail"):
        test["status"] = "passed" if check["status"] == "pass" else "failed"
    return test


def _text(text: str) -> str:
    visible_text = visible(text)
    return visible_text if len(visible_text) <= MOST_LETTERS else f"{visible_text[:MOST_LETTERS]}…"


# ── the autograder ───────────────────────────────────────────────────────────


def pack(path: Path, rubric: Rubric, contract: Path) -> None:
    """Write the zip that Gradescope takes; with `contract`, if there is such a file.

    Raises `CallerError` when it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in SCRIPTS:
                _add(archive, name, (PACKAGE / "export/autograder" / name).read_bytes(), EXECUTABLE)
            _add(archive, "rubric.yaml", rubric.text)
            if contract.is_file():
                _add(archive, CONTRACT_FILE, contract.read_bytes())
            _add(archive, "requirements.txt", "".join(f"{r}\n" for r in pinned()).encode())
            for root, top in (
                (PACKAGE, "grader"),
                (bundled("rubrics"), "rubrics"),
                (bundled("reference"), "reference"),
            ):
                for file in sorted(root.rglob("*")):
                    inside = file.relative_to(root)
                    if file.is_file() and not {"__pycache__", "_bundled"} & set(inside.parts):
                        _add(archive, f"{top}/{inside.as_posix()}", file.read_bytes())
    except OSError as error:
        raise CallerError(f"{path} cannot be written: {error.strerror}") from error


def _add(archive: zipfile.ZipFile, name: str, data: bytes, mode: int = PLAIN) -> None:
    member = zipfile.ZipInfo(name, EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = (0o100000 | mode) << 16
    archive.writestr(member, data)


def pinned() -> list[str]:
    """Return what the grader needs, in the very versions that are in use here."""
    required = [r for r in requires("backprop-grader") or () if "extra ==" not in r]
    names = sorted(match[0] for text in required if (match := NAME.match(text)))
    return [f"{name}=={version(name).partition('+')[0]}" for name in names]
