"""A worker for tests of who is handed what, who is replaced and who is ended."""

from __future__ import annotations

from grader.cohort.crew import BOOT

LIGHT = BOOT.replace(
    "from grader.cohort.worker import serve; ",
    "import contextlib, os, types; from grader.cohort import worker; "
    "from grader.cohort.worker import Finished, serve; "
    "worker.Zygotes = lambda **_: contextlib.nullcontext(); "
    "worker.Engine = lambda *_: types.SimpleNamespace(grade=lambda one: one); "
    "worker.finish = lambda _, one: os._exit(9) if one.id == 'bomb' "
    "else Finished(one.id, {'status': 'graded', 'by': os.getpid()}, ''); ",
)
"""The boot of a real process without zygotes, which grades nothing; a submission called `bomb`
takes it down."""
