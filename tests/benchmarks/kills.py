"""A run that is killed again and again: every result exactly once, and right.

    python -m tests.benchmarks.kills [--count N] [--kills K] [--jobs J]

The run is ended by SIGKILL at random moments, from before its first result on, taken up
again each time, and at last let through. What it left is compared with the results of a
run under the same seed that nobody disturbed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.cohort.cores import cores
from tests.benchmarks.cohorts import ROOT, SEED, folder_of, mutants, offspring, stored
from tests.cohort import untimed


def command(folder: Path, out: Path, jobs: int) -> list[str]:
    words = ["cohort", str(folder), "--out", str(out), "--jobs", str(jobs), "--seed", str(SEED)]
    return [sys.executable, "-m", "grader", *words, "--json-lines"]


def whole(folder: Path, out: Path, jobs: int) -> list[dict[str, object]]:
    """A run that nobody disturbs; its events."""
    done = subprocess.run(
        command(folder, out, jobs), check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def killed(folder: Path, out: Path, jobs: int, seconds: float) -> None:
    """A run that is ended after so long."""
    run = subprocess.Popen(command(folder, out, jobs), stdout=subprocess.DEVNULL, cwd=ROOT)
    time.sleep(seconds)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--count", type=int, default=60)
    words.add_argument("--kills", type=int, default=20)
    words.add_argument("--jobs", type=int, default=cores())
    words.add_argument("--moments", type=int, default=5, help="seed of the random moments")
    asked = words.parse_args()
    moments = random.Random(asked.moments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = folder_of(mutants(asked.count), Path(scratch) / "in")
        started = time.perf_counter()
        whole(folder, Path(scratch) / "calm", asked.jobs)
        calm = time.perf_counter() - started
        right = {k: untimed.document(v) for k, v in stored(Path(scratch) / "calm").items()}
        out, written = Path(scratch) / "out", dict[Path, int]()
        twice = 0
        for number in range(asked.kills):
            killed(folder, out, asked.jobs, moments.uniform(0.2, 0.4) * calm)
            now = {p: p.stat().st_mtime_ns for p in out.glob("submissions/*/result.json")}
            twice += sum(now.get(path) != moment for path, moment in written.items())
            written = now
            print(f"kill {number + 1:2}: {len(written):3} results are safe", flush=True)
        events = whole(folder, out, asked.jobs)
        twice += sum(path.stat().st_mtime_ns != moment for path, moment in written.items())
        last = {k: untimed.document(v) for k, v in stored(out).items()}
        told = next(event for event in events if event["event"] == "cohort")
        joined = json.loads((out / "results.json").read_text())["results"]
        time.sleep(2.0)  # zygotes of the killed see the end of their pipe
        print(f"kept by the last run: {told['kept']} of {asked.count}")
        print(f"graded twice: {twice}")
        print(f"missing: {len(right.keys() - last.keys())}; in results.json: {len(joined)}")
        print(f"other than undisturbed: {sum(last.get(k) != v for k, v in right.items())}")
        print(f"left: {len(offspring())} processes, {len(list(out.rglob('*.tmp')))} half files")


if __name__ == "__main__":
    main()
