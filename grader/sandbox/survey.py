"""What this machine can isolate, proven by trying: the facts behind `grader doctor`.

The trial runs in a program of its own that goes through what a zygote and its
child go through, because only a fresh, single-threaded process may.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox import lockdown, namespaces, probes
from grader.sandbox.kernel import LockdownError

SECONDS = 20.0
PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from grader.sandbox import survey; survey.report()"
)


@dataclass(frozen=True, slots=True)
class TrialLimits:
    """Small, since nothing is computed."""

    memory_bytes: int = 64 << 20
    cpu_seconds: int = 5


def available() -> dict[str, str]:
    """Return every layer and probe with what came of it; `usable` is "yes" or "no: why".

    Keys: `namespace.*`, `root`, the steps of `lockdown.STEPS`, `tried.*`, `deadly.*`.
    """
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-I", "-B", "-c", PROGRAM, root]
    try:
        done = subprocess.run(
            command,
            check=False,
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
        )
        facts: dict[str, str] = json.loads(done.stdout)
    except OSError as error:
        return {"usable": f"no: the trial could not be started ({error})"}
    except subprocess.TimeoutExpired:
        return {"usable": f"no: the trial did not end within {SECONDS:.0f} s"}
    except ValueError:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"]
        return {"usable": f"no: the trial ended with status {done.returncode} ({words[-1]})"}
    if "usable" in facts:
        return facts
    got_through = [name for name, value in facts.items() if value.startswith(probes.OPEN)]
    return facts | {"usable": f"no: open are {', '.join(got_through)}" if got_through else "yes"}


def report() -> None:
    """Run the trial itself, in its own program: print the facts as JSON."""
    try:
        facts = _trial()
    except LockdownError as error:
        facts = {"usable": f"no: {error}"}
    print(json.dumps(facts), flush=True)


def _trial() -> dict[str, str]:
    facts = namespaces.enter()
    kit = lockdown.prepare()
    facts |= namespaces.empty_root()
    limits = TrialLimits()
    facts |= _confined_facts(limits, kit)
    if "usable" in facts:
        return facts
    names = probes.deadly_probes(kit.kernel.machine)
    return facts | probes.try_deadly(lockdown.confine, limits, kit, names)


def _confined_facts(limits: TrialLimits, kit: lockdown.LockdownKit) -> dict[str, str]:
    """Return what a confined child says of itself."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            answer = lockdown.confine(limits, (writer,), kit=kit) | probes.probe()
        except Exception as error:  # whatever it was, it has to be said before the end
            answer = {"usable": f"no: {error}"}
        os.write(writer, json.dumps(answer).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    facts: dict[str, str] = json.loads(text)
    return facts
