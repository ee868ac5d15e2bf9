"""A real judge in a process of its own, watched: what it leaves behind, and what became of it.

`python judge_process.py FACTS ANYTHING COHORT ARGUMENTS…` runs `grader COHORT ARGUMENTS…`
(ANYTHING is only there to be seen in the process's arguments) and writes to FACTS, as JSON:

    status, seconds    of the `grader` command
    survivors          processes of its tree that still live after it, found as this
                       program is their subreaper: orphans, whatever their session, come to it
    before, after      process of the judge (`parent`, `worker-…`) → its environment,
                       descriptors, working folder, threads, …
    printed            submission id → what its processes printed (NumPy part, PyTorch part)
    endings            submission id → step → how it ended
    order              submission ids as they were finished
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 1.0
"""Seconds that a killed process may take to be gone."""


def main() -> int:
    """Run the judge as a child, then look at who is left."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    facts = Path(sys.argv[1])
    started = time.monotonic()
    judge = subprocess.run([sys.executable, __file__, "inner", *sys.argv[1:]], check=False)
    seconds = time.monotonic() - started
    survivors = _survivors()
    said = json.loads(facts.read_text()) if facts.exists() else {}
    said |= {"status": judge.returncode, "seconds": seconds, "survivors": survivors}
    facts.write_text(json.dumps(said))
    return judge.returncode


def _survivors() -> list[str]:
    """Command lines of the descendants that are left after `PATIENCE`; they are ended."""
    until = time.monotonic() + PATIENCE
    while (left := _descendants()) and time.monotonic() < until:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.02)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return list(left.values())


def _descendants() -> dict[int, str]:
    """Every living process below this one, by its number."""
    parents: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                name, rest = (folder / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
                state, parent = rest.split()[:2]
                if state not in "ZX":
                    parents[int(folder.name)] = int(parent), name
    found: dict[int, str] = {}
    new = {os.getpid()}
    while new:
        new = {pid for pid, (parent, _) in parents.items() if parent in new and pid not in found}
        found |= {pid: parents[pid][1] for pid in new}
    return found


# ── the judge ────────────────────────────────────────────────────────────────


def inner() -> int:
    """`grader`, with workers that remember what they saw."""
    facts, arguments = Path(sys.argv[2]), sys.argv[4:]
    notes = facts.with_suffix(".workers")
    notes.mkdir()
    import numpy as np

    from grader import cli
    from grader.cohort import crew, run

    boot = (
        "import sys; sys.path.insert(0, sys.argv[2]); "
        f"sys.path.insert(0, {str(Path(__file__).parent)!r}); "
        "from judge_process import work; "
        f"work(int(sys.argv[1]), {str(notes)!r})"
    )
    watched = functools.partial(crew.Crew, boot=boot)
    setattr(run, "Crew", watched)  # noqa: B010 - mypy's view of a class
    sys.argv = ["grader", *arguments]
    before, status = {"parent": _state(np)}, 0
    try:
        cli.main()
    except SystemExit as end:
        status = int(end.code or 0)
    after = {"parent": _state(np)}
    printed: dict[str, list[str]] = {}
    endings: dict[str, dict[str, str]] = {}
    ended: list[tuple[float, str]] = []
    for note in sorted(notes.iterdir()):
        told = json.loads(note.read_text())
        before[note.stem], after[note.stem] = told["before"], told["after"]
        printed |= told["printed"]
        endings |= told["endings"]
        ended += told["ended"]
    said = {"before": before, "after": after, "printed": printed, "endings": endings}
    facts.write_text(json.dumps(said | {"order": [id for _, id in sorted(ended)]}))
    return status


def work(descriptor: int, notes: str) -> None:
    """A worker that writes down, when it leaves, what it saw and what became of itself."""
    from multiprocessing.connection import Connection

    import numpy as np

    from grader.cohort import worker

    printed: dict[str, list[str]] = {}
    endings: dict[str, dict[str, str]] = {}
    ended: list[tuple[float, str]] = []

    class Watching(worker.Engine):
        """Notes what each submission printed and how its steps ended."""

        def grade(self, submission: Any) -> Any:
            result = super().grade(submission)
            seen = result.observations
            printed[submission.id] = [seen.numpy.output, seen.torch.output]
            endings[submission.id] = {step: run.ended.value for step, run in seen.runs.items()}
            ended.append((time.time(), submission.id))
            return result

    setattr(worker, "Engine", Watching)  # noqa: B010 - mypy's view of a class
    with Connection(descriptor) as connection:
        before = _state(np)
        worker.serve(connection)
        after = _state(np)
    said = {"before": before, "after": after, "printed": printed, "endings": endings}
    note = Path(notes) / f"worker-{os.getpid()}.json"
    note.write_text(json.dumps(said | {"ended": ended}))


def _state(np: Any) -> dict[str, Any]:
    """All of the judge that a submission might have changed."""
    strange = [
        name
        for name, module in list(sys.modules.items())
        if name in ("solution", "torch", "hostile_build")
        or str(getattr(module, "__file__", "")).endswith("solution.py")
    ]
    return {
        "environment": dict(os.environ),
        "descriptors": sorted(_descriptors()),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "umask": _umask(),
        "threads": sorted(t.name for t in threading.enumerate() if t.name != "MainThread"),
        "functions": [id(np.allclose), id(np.isclose), id(builtins.open), id(builtins.abs)],
        "strange modules": strange,
        "audit": sys.gettrace() is None and sys.getprofile() is None,
    }


def _descriptors() -> list[str]:
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(entry)
            if not target.startswith("/proc/"):
                found.append(f"{entry.name} {target}")
    return found


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


if __name__ == "__main__":
    sys.exit(inner() if sys.argv[1] == "inner" else main())
