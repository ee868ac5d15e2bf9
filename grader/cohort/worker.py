"""A process that grades: submissions come in, the files that go to disk come out.

Each worker has an engine and warm zygotes of its own, so workers share nothing but
the exam, which the first of them prepares for all. What travels is the judge's own
records between the judge's own processes; no candidate's code is near that pipe.
"""

from __future__ import annotations

import gc
import signal
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

from grader.bounds import bounded
from grader.cohort.engine import Engine, Settings, undecided
from grader.cohort.similarity import STRUCTURE_KEY, sketch
from grader.errors import GraderError
from grader.intake import Handed
from grader.limits import WORK_BYTES, WORK_SECONDS
from grader.observe.zygotes import Zygotes
from grader.problem import Exam
from grader.records import Result, Submission
from grader.report import for_candidate, render_report, result_json
from grader.report.views import Audience
from grader.rubric import Rubric

Work: TypeAlias = Submission | Handed
"""What is to be graded: a submission, or the bytes that one is still to be made of."""


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


@dataclass(frozen=True, slots=True)
class NumbersAlone:
    """What took the judge too long, or too much memory: only its numbers are asked for."""

    work: Work


def by_numbers(submission: Submission) -> Submission:
    """Return a submission of which the judge reads nothing: it runs, and its numbers count."""
    unread = tuple(file.path for file in submission.files)
    left_out = (
        f"reading it took more than {WORK_SECONDS:g} s or {WORK_BYTES >> 20} MB",
        *submission.left_out,
    )
    return replace(submission, unread=unread, written=(), left_out=left_out, numbers_only=True)


def taken_in(work: Work | NumbersAlone) -> Submission:
    """Return the submission to be graded."""
    if isinstance(work, NumbersAlone):
        return by_numbers(taken_in(work.work))
    return work.take_in() if isinstance(work, Handed) else work


def finish(order: Order, result: Result) -> Finished:
    """Return a result as the files say it. What cannot be written down is undecided, never lost."""
    try:
        page = render_report(result, audience=order.audience)
        numbers_only = result.submission.numbers_only
        structure = "" if numbers_only else sketch(result.submission)
        document = result_json(_shown(order, result)) | {STRUCTURE_KEY: structure}
        return Finished(result.submission.id, document, page)
    except MemoryError:
        raise
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


def set_aside(order: Order, work: Work, fault: str) -> Finished:
    """Return the files of a submission that could not be assessed, through no fault of its own."""
    submission = (
        Submission(work.id, work.name, work.digest, (), "", who=work.who)
        if isinstance(work, Handed)
        else work
    )
    return finish(order, undecided(order.rubric, order.settings, submission, fault))


def _graded(engine: Engine, order: Order, work: Work) -> Finished:
    """Return one submission graded. A bug of ours is its trouble alone, not the worker's end."""
    try:
        return finish(order, engine.grade(taken_in(work)))
    except MemoryError:
        raise
    except Exception as error:
        return set_aside(order, work, f"the grader failed: {error!r}")


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
                work = connection.recv()
                with bounded():
                    finished = _graded(engine, order, work)
                connection.send(finished)
        except GraderError as error:
            connection.send(WorkerFailure(str(error)))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return  # the parent is done, or gone
