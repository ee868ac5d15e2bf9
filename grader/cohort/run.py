"""Runs: one submission, or a cohort of them, from what was found to the files under `--out`."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
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
from grader.cohort.worker import Finished, Order, Work, finish, set_aside
from grader.cohort.workforce import Workforce
from grader.errors import GraderError
from grader.intake import CohortEntry
from grader.records import Result, Submission
from grader.report import for_candidate, json_text, write_csv, write_index
from grader.report.overview import outline
from grader.report.views import Audience


def grade_one(
    engine: Engine, submission: Submission, out: Path, audience: Audience
) -> tuple[Result, Path]:
    """Grade and write `report.html` and `result.json` to `out`; gives the report's path.

    The result is what `audience` may know of it, as both files say it.
    """
    order = Order(engine.rubric, engine.settings, audience)
    result = engine.grade(submission)
    if audience == "candidate":
        result = for_candidate(result)
    remember_rubric(out, engine.rubric)
    _save(finish(order, result), out, _key(order, submission))
    return result, out / "report.html"


def _save(finished: Finished, folder: Path, key: str) -> None:
    """Write the two files; the JSON last, for it says that both are there."""
    document = finished.document | {REUSE_KEY: key}
    sweep(folder)
    write_whole(folder / "report.html", finished.page)
    write_whole(folder / "result.json", json_text(document))


def _key(order: Order, submission: Work) -> str:
    contract = order.rubric.contract.digest if order.rubric.contract else ""
    key = reuse_key(submission.digest, order.rubric.digest, order.settings, contract)
    return f"{key}:{submission.id}:{order.audience}"


def grade_cohort(
    order: Order,
    entries: Sequence[CohortEntry],
    out: Path,
    *,
    jobs: int,
    fresh: bool = False,
    repeat: bool = False,
    workforce: AbstractContextManager[Workforce] | None = None,
    tell: Callable[[Graded], None],
) -> Outcomes:
    """Grade every entry; the outcomes are in their order, and their outlines on disk.

    `jobs` at a time on this machine, or as many as the `workforce` can.

    What an earlier run left in `out` is kept where nothing changed, unless `fresh`, each with
    its own seed: who has seen one run's inputs must not meet them again. With `repeat` only
    results of this run's very seed are kept.
    Each result is on disk before `tell` hears of it, in this thread. Raises
    `CallerError` when `out` cannot be written, `SandboxError` when nothing can be graded.
    """
    (out / "submissions").mkdir(parents=True, exist_ok=True)
    sweep(out)
    remember_seed(out, order.settings.seed)
    remember_rubric(out, order.rubric)
    run = _CohortRun(order, entries, out, fresh, repeat, tell, Outcomes(len(entries), out))
    with workforce or Crew(order, max(1, min(jobs, len(entries)))) as crew:
        for finished in crew.grade(run.missing()):
            run.finish(finished)
    return run.outcomes


@dataclass
class _CohortRun:
    """What a run keeps and grades; `under_way` are number and reuse key by id."""

    order: Order
    entries: Sequence[CohortEntry]
    out: Path
    fresh: bool
    repeat: bool
    tell: Callable[[Graded], None]
    outcomes: Outcomes
    under_way: dict[str, tuple[int, str]] = field(default_factory=dict)

    def missing(self) -> Iterator[Work]:
        """Yield what has to be graded, one at a time; record the rest on the way."""
        for number, entry in enumerate(self.entries):
            folder = self.out / "submissions" / entry.id
            try:
                handed = entry.collect()
            except Exception as error:  # ours, or a disk's: the others are graded all the same
                submission = Submission(entry.id, entry.name, "", (), "")
                words = str(error) if isinstance(error, GraderError) else repr(error)
                fault = f"the submission could not be read: {words}"
                self.under_way[entry.id] = number, _key(self.order, submission)
                self.finish(set_aside(self.order, submission, fault))
                continue
            key = _key(self.order, handed)
            stored = None if self.fresh else read_result(folder / "result.json")
            seed = self.order.settings.seed if self.repeat else None
            if stored is not None and reusable(stored, key, seed):
                self._record(number, stored, kept=True)
                continue
            self.under_way[entry.id] = number, key
            yield handed

    def finish(self, finished: Finished) -> None:
        """Write the files of a graded submission, and record its outcome."""
        number, key = self.under_way.pop(finished.id)
        _save(finished, self.out / "submissions" / finished.id, key)
        self._record(number, finished.document, kept=False)

    def _record(self, number: int, document: dict[str, Any], *, kept: bool) -> None:
        graded = Graded(self.entries[number].id, outline(document), kept)
        self.outcomes.put(number, graded)
        self.tell(graded)


def write_cohort(
    order: Order,
    title: str,
    graded: Collection[Graded],
    out: Path,
    facts: Mapping[str, str] | None = None,
) -> None:
    """Write `index.html`, `results.json` and `scores.csv` for the whole cohort.

    `facts` are stated on the page besides. The seed in `results.json` is of what this run
    graded; each result has its own.
    Outlines and results are read from their files one after another: a cohort need not fit in
    memory.
    """
    rubric, documents = order.rubric, Documents(graded)
    sketches = {g.id: str(g.document.get(STRUCTURE_KEY) or "") for g in graded}
    remember_submissions(out, list(sketches))
    similar = groups(sketches)
    del sketches  # half a kilobyte each
    with writing_whole(out / "scores.csv") as stream:
        write_csv(documents, stream)
    kept = sum(one.kept for one in graded)
    seed = f"{order.settings.seed}" + (f"; of the {kept} kept, as each page says" if kept else "")
    summary = {"Rubric": rubric.title, "Seed": seed, "Grader": __version__, **(facts or {})}
    if order.audience == "candidate":
        del summary["Seed"]
    with writing_whole(out / "index.html") as stream:
        write_index(documents, title, stream, summary, similar)
    head = {
        "schema_version": 1,
        "grader_version": __version__,
        "seed": None if order.audience == "candidate" else order.settings.seed,
        "rubric": {"id": rubric.id, "title": rubric.title, "digest": rubric.digest},
    }
    with writing_whole(out / "results.json") as stream:
        stream.write(json.dumps(head, indent=1).removesuffix("\n}") + ',\n "results": [')
        for number, one in enumerate(graded):
            text = (out / "submissions" / one.id / "result.json").read_text("utf-8")
            stream.write(("," if number else "") + "\n" + text.rstrip("\n"))
        stream.write("\n]\n}\n")
