"""Runs: one submission, or a cohort of them, from what was found to the files under `--out`."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from grader import __version__
from grader.cohort.crew import Crew
from grader.cohort.engine import Engine
from grader.cohort.outcomes import Documents, Graded, Outcomes
from grader.cohort.similarity import STRUCTURE_KEY, groups
from grader.cohort.store import (
    REUSE_KEY,
    read_result,
    remember_rubric,
    remember_seed,
    remember_submissions,
    reusable,
    reuse_key,
    sweep,
    write_whole,
    writing_whole,
)
from grader.cohort.worker import Finished, Order, set_aside, written
from grader.cohort.workforce import Workforce
from grader.intake import Found
from grader.records import Result, Submission
from grader.report import json_text, write_csv, write_index
from grader.report.overview import outlined
from grader.report.views import Audience


def grade_one(
    engine: Engine, submission: Submission, out: Path, audience: Audience
) -> tuple[Result, Path]:
    """Grade and write `report.html` and `result.json` to `out`; gives the report's path."""
    order = Order(engine.rubric, engine.settings, audience)
    result = engine.grade(submission)
    remember_rubric(out, engine.rubric)
    _save(written(order, result), out, _key(order, submission))
    return result, out / "report.html"


def _save(finished: Finished, folder: Path, key: str) -> None:
    """Write the two files; the JSON last, for it says that both are there."""
    document = finished.document | {REUSE_KEY: key}
    sweep(folder)
    write_whole(folder / "report.html", finished.page)
    write_whole(folder / "result.json", json_text(document))


def _key(order: Order, submission: Submission) -> str:
    contract = order.rubric.contract.digest if order.rubric.contract else ""
    key = reuse_key(submission.digest, order.rubric.digest, order.settings, contract)
    return f"{key}:{submission.id}:{order.audience}"


def grade_cohort(
    order: Order,
    found: Sequence[Found],
    out: Path,
    *,
    jobs: int,
    fresh: bool = False,
    workforce: AbstractContextManager[Workforce] | None = None,
    tell: Callable[[Graded], None],
) -> Outcomes:
    """Grade every submission found; the outcomes in the order found, their outlines on disk.

    `jobs` at a time on this machine, or as many as the `workforce` can.

    What an earlier run left in `out` is kept where nothing changed, unless `fresh`.
    Each result is on disk before `tell` hears of it, in this thread. Raises
    `CallerError` when `out` cannot be written, `SandboxError` when nothing can be graded.
    """
    (out / "submissions").mkdir(parents=True, exist_ok=True)
    sweep(out)
    remember_seed(out, order.settings.seed)
    remember_rubric(out, order.rubric)
    outcomes = Outcomes(len(found), out)
    under_way: dict[str, tuple[int, str]] = {}

    def say(number: int, document: dict[str, Any], *, kept: bool) -> None:
        graded = Graded(found[number].id, outlined(document), kept)
        outcomes.put(number, graded)
        tell(graded)

    def missing() -> Iterator[Submission]:
        """Yield what has to be graded; the rest is said on the way. Reads one at a time."""
        for number, entry in enumerate(found):
            try:
                submission = entry.read()
            except Exception as error:  # ours, or a disk's: the others are graded all the same
                submission = Submission(entry.id, entry.name, "", (), "")
                fault = f"the submission could not be read: {error!r}"
                finished = set_aside(order, submission, fault)
                _save(finished, out / "submissions" / entry.id, _key(order, submission))
                say(number, finished.document, kept=False)
                continue
            key = _key(order, submission)
            stored = None if fresh else read_result(out / "submissions" / entry.id / "result.json")
            if stored is not None and reusable(stored, key):
                say(number, stored, kept=True)
                continue
            under_way[entry.id] = number, key
            yield submission

    with workforce or Crew(order, max(1, min(jobs, len(found)))) as hands:
        for finished in hands.grade(missing()):
            number, key = under_way.pop(finished.id)
            _save(finished, out / "submissions" / finished.id, key)
            say(number, finished.document, kept=False)
    return outcomes


def write_cohort(order: Order, title: str, graded: Collection[Graded], out: Path) -> None:
    """`index.html`, `results.json` and `scores.csv` for the whole cohort.

    Outlines and results are read from their files one after another: a cohort need not fit in
    memory.
    """
    rubric, documents = order.rubric, Documents(graded)
    sketches = {g.id: str(g.document.get(STRUCTURE_KEY) or "") for g in graded}
    remember_submissions(out, list(sketches))
    alike = groups(sketches)
    del sketches  # half a kilobyte each
    with writing_whole(out / "scores.csv") as stream:
        write_csv(documents, stream)
    summary = {"Rubric": rubric.title, "Seed": str(order.settings.seed), "Grader": __version__}
    with writing_whole(out / "index.html") as stream:
        write_index(documents, title, stream, summary, alike)
    head = {
        "schema_version": 1,
        "grader_version": __version__,
        "seed": order.settings.seed,
        "rubric": {"id": rubric.id, "title": rubric.title, "digest": rubric.digest},
    }
    with writing_whole(out / "results.json") as stream:
        stream.write(json.dumps(head, indent=1).removesuffix("\n}") + ',\n "results": [')
        for number, one in enumerate(graded):
            text = (out / "submissions" / one.id / "result.json").read_text("utf-8")
            stream.write(("," if number else "") + "\n" + text.rstrip("\n"))
        stream.write("\n]\n}\n")
