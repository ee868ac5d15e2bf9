"""Grade the known answers and compare what is said of them with a kept record.

    python -m tests.frozen                 compare with tests/frozen/record.json.gz
    python -m tests.frozen --write         write the record
    python -m tests.frozen --only samples  one group: samples, binding, diagnosis, hostile
    python -m tests.frozen --seeds 1       with the first of the seeds alone

A restructuring reproduces the record; a change of behaviour writes a new one and says why.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from grader.bundled import bundled
from grader.checks import ALL_CHECKS
from grader.cohort import Engine, Settings
from grader.defects import KINDS
from grader.intake import take_in
from grader.observe.observe import Allowance
from grader.observe.zygotes import Zygotes
from grader.records import CheckStatus, Result
from grader.rubric import load_rubric
from tests.hostile import gathering

ROOT = Path(__file__).parents[2]
RECORD = Path(__file__).parent / "record.json.gz"
GROUPS = ("samples", "binding", "diagnosis", "hostile")
SEEDS = {"samples": (41, 42), "binding": (41,), "diagnosis": (41,), "hostile": (41,)}
CLOCK = ("backward.vectorised",)
"""The check that depends on how busy the machine is."""
UNSTEADY = ("a02-frames-and-gc", "a28-huge-error")
"""Attacks that get as far as the machine lets them before their time is up: only that they are
graded is compared. The first walks all frames and objects of its process, the second raises an
error of many megabytes; on a busy machine both lose points to `timeout`. No other attack varies
between runs, idle or under a load of ten. (`tests/hostile/` holds what both may not gain.)
"""
KNOBS = {"CHUNK": 2 << 30}


def answers(group: str, work: Path) -> Iterator[tuple[str, Path]]:
    """(name, path) of each answer of a group; `work` is a folder for those that are built."""
    if group == "samples":
        for path in sorted((ROOT / "submissions").iterdir()):
            if path.is_dir():
                yield path.name, path
    elif group == "binding":
        for path in sorted((ROOT / "tests/child/binding/styles").glob("*.py")):
            yield path.stem, path
    elif group == "diagnosis":
        for folder in ("styles", "unusual"):
            for path in sorted((ROOT / "tests/diagnosis" / folder).glob("*.py")):
                yield f"{folder}/{path.stem}", path
    else:
        cohort, scratch = work / "cohort", work / "scratch"
        cohort.mkdir()
        scratch.mkdir()
        for entry in gathering.hostile(cohort, scratch, KNOBS):
            yield f"{entry.attack}/{entry.variant}".strip("/"), entry.path


def said(result: Result) -> dict[str, Any]:
    """What is compared: score, band, what did not pass, and the defects."""
    grade = result.grade
    clock = sum(c.points for c in grade.checks if c.id in CLOCK)
    checks = {
        c.id: [c.status.value, round(c.points, 6), list(c.explained_by)]
        for c in grade.checks
        if c.status is not CheckStatus.PASS and c.id not in CLOCK
    }
    defects = [
        [
            d.code,
            d.severity.value,
            sorted(d.tensors),
            d.file,
            d.line,
            d.end_line,
            d.confidence.value,
        ]
        for d in result.defects
    ]
    return {
        "status": grade.status.value,
        "score": round(grade.score - clock, 6),
        "max": grade.max_score,
        "checks": checks,
        "defects": sorted(defects, key=str),
    }


def grade_group(group: str, zygotes: Zygotes, seeds: int) -> dict[str, Any]:
    """Return what is said of each answer of a group, by name and seed, with so many seeds."""
    checks, codes = [c.id for c in ALL_CHECKS], [c.code for c in KINDS]
    rubric = load_rubric(bundled("rubrics") / "onsite.yaml", checks, codes)
    allowance = Allowance(seconds=3.0) if group == "hostile" else Allowance()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = dict(answers(group, Path(folder)))
        for seed in SEEDS[group][:seeds]:
            engine = Engine(rubric, Settings(seed=seed, allowance=allowance), zygotes)
            engine.exam()

            def one(path: Path, engine: Engine = engine) -> Any:
                try:
                    return said(engine.grade(take_in(path)))
                except Exception as error:  # refused at the door: that is recorded as well
                    return {"refused": type(error).__name__}

            with ThreadPoolExecutor(2) as pool:
                for name, record in zip(paths, pool.map(one, paths.values()), strict=True):
                    found[f"{name}#{seed}"] = record
        shutil.rmtree(folder, ignore_errors=True)
    return found


def differences(kept: Any, now: Any, where: str = "") -> Iterator[str]:
    """One line for each place in which two records differ."""
    if isinstance(kept, dict) and isinstance(now, dict):
        for key in sorted(kept.keys() | now.keys()):
            yield from differences(kept.get(key), now.get(key), f"{where} {key}")
    elif kept != now:
        yield f"{where}: {json.dumps(kept)} -> {json.dumps(now)}"


def changes(kept: dict[str, Any], now: dict[str, Any], seeds: int) -> list[str]:
    """Return one line for each difference between the record and the groups graded now.

    What the record says of other seeds than the first `seeds` is left out. Of an unsteady attack
    only the status is compared.
    """
    lines: list[str] = []
    for group, rows in now.items():
        ends = tuple(f"#{seed}" for seed in SEEDS[group][:seeds])
        before = {name: row for name, row in kept[group].items() if name.endswith(ends)}
        lines += differences(steady(before), steady(rows), group)
    return lines


def steady(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the rows of a group with the status alone for each attack of `UNSTEADY`."""
    return {
        name: {"status": row.get("status")} if name.startswith(UNSTEADY) else row
        for name, row in rows.items()
    }


def main() -> int:
    """Return 0 where nothing differs, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.frozen", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the record")
    parser.add_argument("--only", choices=GROUPS, action="append", help="one group of answers")
    parser.add_argument("--seeds", type=int, default=len(SEEDS["samples"]), help="at most so many")
    parser.add_argument("--record", type=Path, default=RECORD)
    options = parser.parse_args()
    now = {}
    with Zygotes() as zygotes:
        for group in options.only or GROUPS:
            now[group] = grade_group(group, zygotes, options.seeds)
            print(f"{group}: {len(now[group])} graded", file=sys.stderr, flush=True)
    if options.write:
        data = json.dumps(now, indent=0, sort_keys=True).encode()
        options.record.write_bytes(gzip.compress(data, mtime=0))
        return 0
    kept = json.loads(gzip.decompress(options.record.read_bytes()))
    lines = changes(kept, now, options.seeds)
    print("\n".join(lines) or "no differences")
    return bool(lines)


if __name__ == "__main__":
    raise SystemExit(main())
