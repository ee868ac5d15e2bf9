"""Runs: one submission, or a folder of them, from a path to the files under `--out`."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import __version__
from grader.cohort.engine import Engine
from grader.cohort.store import REUSE_KEY, read_result, reusable, reuse_key, write_whole
from grader.intake import take_in
from grader.records import Result, Submission
from grader.report import render_index, render_report, result_json, write_csv
from grader.report.views import Audience


@dataclass(frozen=True, slots=True)
class Graded:
    """One submission's outcome: its `result.json`, and whether it was kept from an earlier run."""

    id: str
    document: dict[str, Any]
    kept: bool


def grade_one(
    engine: Engine, submission: Submission, out: Path, audience: Audience
) -> tuple[Result, Path]:
    """Grade and write `report.html` and `result.json` to `out`; gives the report's path."""
    result = engine.grade(submission)
    save(engine, result, out, audience)
    return result, out / "report.html"


def save(engine: Engine, result: Result, folder: Path, audience: Audience) -> dict[str, Any]:
    """Write a result's two files; the JSON last, for it says that both are there."""
    document = result_json(result)
    document[REUSE_KEY] = _key(engine, result.submission, audience)
    write_whole(folder / "report.html", render_report(result, audience=audience))
    write_whole(folder / "result.json", json.dumps(document, indent=1, allow_nan=False) + "\n")
    return document


def _key(engine: Engine, submission: Submission, audience: Audience) -> str:
    key = reuse_key(submission.digest, engine.rubric.digest, engine.settings)
    return f"{key}:{submission.id}:{audience}"


def grade_cohort(
    engine: Engine,
    found: list[tuple[str, str, Path]],
    out: Path,
    audience: Audience,
    *,
    jobs: int,
    fresh: bool = False,
    tell: Callable[[Graded], None],
) -> list[Graded]:
    """Grade every submission found, `jobs` at a time; the results in the order found.

    What an earlier run left in `out` is kept where nothing changed, unless
    `fresh`. `tell` is called in this thread as each one is done.
    """
    (out / "submissions").mkdir(parents=True, exist_ok=True)
    done: dict[str, Graded] = {}
    with ThreadPoolExecutor(jobs, thread_name_prefix="grade") as pool:
        waiting = {
            pool.submit(_one, engine, entry, out, audience, fresh=fresh): entry[0]
            for entry in found
        }
        try:
            for graded in _as_done(waiting):
                done[graded.id] = graded
                tell(graded)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            engine.stop()  # ends the children, so that the threads come back at once
            raise
    return [done[id] for id, _, _ in found]


def _as_done(waiting: dict[Future[Graded], str]) -> Iterator[Graded]:
    for future in as_completed(waiting):
        yield future.result()


def _one(
    engine: Engine, entry: tuple[str, str, Path], out: Path, audience: Audience, *, fresh: bool
) -> Graded:
    id, name, path = entry
    folder = out / "submissions" / id
    try:
        submission = take_in(path, id=id, name=name)
    except Exception as error:  # ours, or a disk's: the others are graded all the same
        submission = Submission(id, name, "", (), "")
        fault = f"the submission could not be read: {error!r}"
        return Graded(
            id, save(engine, engine.undecided(submission, fault), folder, audience), False
        )
    stored = None if fresh else read_result(folder / "result.json")
    if stored is not None and reusable(stored, _key(engine, submission, audience)):
        return Graded(id, stored, True)
    return Graded(id, save(engine, engine.grade(submission), folder, audience), False)


def write_cohort(engine: Engine, title: str, graded: list[Graded], out: Path) -> None:
    """`index.html`, `results.json` and `scores.csv` for the whole cohort."""
    rows = [g.document for g in graded]
    rubric = engine.rubric
    document = {
        "schema_version": 1,
        "grader_version": __version__,
        "seed": engine.settings.seed,
        "rubric": {"id": rubric.id, "title": rubric.title, "digest": rubric.digest},
        "results": rows,
    }
    table = io.StringIO()
    write_csv(rows, table)
    summary = {"Rubric": rubric.title, "Seed": str(engine.settings.seed), "Grader": __version__}
    write_whole(out / "scores.csv", table.getvalue())
    write_whole(out / "index.html", render_index(rows, title, summary))
    write_whole(out / "results.json", json.dumps(document, indent=1, allow_nan=False) + "\n")
