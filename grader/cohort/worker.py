"""A process that grades: submissions come in, the files that go to disk come out.

Each worker has an engine and warm zygotes of its own, so workers share nothing but
the exam, which the first of them prepares for all. What travels is the judge's own
records between the judge's own processes; no candidate's code is near that pipe.
"""

from __future__ import annotations

import gc
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from grader.cohort.engine import Engine, Settings, undecided
from grader.cohort.similarity import STRUCTURE_KEY, sketch
from grader.errors import GraderError
from grader.observe.zygotes import Zygotes
from grader.problem import Exam
from grader.records import Result, Submission
from grader.report import for_candidate, render_report, result_json
from grader.report.views import Audience
from grader.rubric import Rubric


@dataclass(frozen=True, slots=True)
class Order:
    """What every submission of a run is graded by; goes to each worker once."""

    rubric: Rubric
    settings: Settings
    audience: Audience


@dataclass(frozen=True, slots=True)
class Finished:
    """One submission, graded: the content of its `result.json`, and its page."""

    id: str
    document: dict[str, Any]
    page: str


@dataclass(frozen=True, slots=True)
class WorkerFailure:
    """A worker cannot work at all, and says why: no sandbox, no oracle."""

    why: str


def finish(order: Order, result: Result) -> Finished:
    """Return a result as the files say it. What cannot be written down is undecided, never lost."""
    try:
        page = render_report(result, audience=order.audience)
        document = result_json(_shown(order, result)) | {STRUCTURE_KEY: sketch(result.submission)}
        return Finished(result.submission.id, document, page)
    except Exception as error:  # ours: the others are graded all the same
        fault = f"the report could not be written: {error!r}"
        bare = Submission(
            result.submission.id, result.submission.id, result.submission.digest, (), ""
        )
        instead = undecided(order.rubric, order.settings, bare, fault)
        return Finished(
            instead.submission.id,
            result_json(_shown(order, instead)),
            render_report(instead, audience=order.audience),
        )


def _shown(order: Order, result: Result) -> Result:
    return for_candidate(result) if order.audience == "candidate" else result


def set_aside(order: Order, submission: Submission, fault: str) -> Finished:
    """Return the files of a submission that could not be assessed, through no fault of its own."""
    return finish(order, undecided(order.rubric, order.settings, submission, fault))


def _graded(engine: Engine, order: Order, submission: Submission) -> Finished:
    """Return one submission graded. A bug of ours is its trouble alone, not the worker's end."""
    try:
        return finish(order, engine.grade(submission))
    except Exception as error:
        return set_aside(order, submission, f"the grader failed: {error!r}")


def serve(connection: Connection) -> None:
    """Take an order, an exam (or None: then give one), and submissions until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    order: Order = connection.recv()
    with Zygotes(unconfined=order.settings.unconfined) as zygotes:
        try:
            exam: Exam | None = connection.recv()
            engine = Engine(order.rubric, order.settings, zygotes, exam)
            if exam is None:
                connection.send(engine.exam())
            gc.collect()
            gc.freeze()  # what is loaded by now stays: no collection need look at it again
            while True:
                connection.send(_graded(engine, order, connection.recv()))
        except GraderError as error:
            connection.send(WorkerFailure(str(error)))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return  # the parent is done, or gone
