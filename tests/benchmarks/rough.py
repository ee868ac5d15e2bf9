"""A cohort with answers that hang, crash and eat memory: how long, and what of the honest ones.

    python -m tests.benchmarks.rough [--count N] [--share PERCENT] [--timeout S] [--jobs J]

5 % each hang, crash and eat memory, all in both of their parts. The honest ones are graded
in runs of their own as well, before and after, under the same seed, and must come out the
same. The deadlines allow what so many honest ones take and, for each that hangs or eats memory,
the whole time of its parts, which run side by side, and that of its verification. What crashes
is over at once, and what eats memory well before its time: no function that fills the memory
twice is called again.
The last of them may run while the other workers have nothing left to do.
"""

from __future__ import annotations

import argparse
import ast
import shutil
import tempfile
from pathlib import Path

from grader.cohort.cores import cores
from grader.cohort.run import grade_cohort
from grader.intake import find_cohort
from grader.observe.trials import SECONDS
from tests.benchmarks.cohorts import (
    folder_of,
    offspring,
    order,
    references,
    seconds,
    stored,
)
from tests.cohort import untimed

CALLS = ("forward", "torch_forward_backward")
ROUGH = {
    "hang": "    while True: pass\n",
    "crash": "    import ctypes; ctypes.string_at(0)\n",
    "memory": "    hoard = []\n    while True: hoard.append(bytearray(1 << 24))\n",
}


def spoiled(source: str, how: str) -> str:
    """The reference with a first statement in both parts that does not let it go on."""
    lines = source.splitlines(keepends=True)
    functions = [n for n in ast.parse(source).body if getattr(n, "name", "") in CALLS]
    for function in sorted(functions, key=lambda f: -f.lineno):
        lines.insert(function.body[0].lineno - 1, ROUGH[how])
    return "".join(lines)


def allowed(all_honest: float, slow: int, asked: argparse.Namespace) -> float:
    """Seconds that a run may take with `slow` answers that use up their deadlines.

    Of work that is handed out as workers become free, the last piece may run alone.
    """
    deadline = asked.timeout + min(SECONDS, asked.timeout)
    alone = deadline * (1 - 1 / asked.jobs) if slow else 0.0
    return all_honest + slow * deadline / asked.jobs + alone


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--count", type=int, default=100)
    words.add_argument("--share", type=float, default=5.0, help="percent of each kind")
    words.add_argument("--timeout", type=float, default=5.0)
    words.add_argument("--jobs", type=int, default=cores())
    asked = words.parse_args()
    each = round(asked.count * asked.share / 100)
    with tempfile.TemporaryDirectory() as scratch:
        by, base = order(asked.timeout), Path(scratch)
        honest = folder_of(references(asked.count - 3 * each), base / "honest")
        source = next(references(1))
        for how in ROUGH:
            for number in range(each):
                entry = honest.with_name("mixed") / f"{how}-{number}"
                entry.mkdir(parents=True)
                (entry / "solution.py").write_text(spoiled(source, how))
        shutil.copytree(honest, honest.with_name("mixed"), dirs_exist_ok=True)

        def graded(name: str) -> float:
            found = find_cohort(base / name).entries
            run = lambda: grade_cohort(  # noqa: E731
                by, found, base / f"{name}-out", jobs=asked.jobs, fresh=True, tell=lambda _: None
            )
            return seconds(run)

        before, mixed, after = graded("honest"), graded("mixed"), graded("honest")
        alone = (before + after) / 2
        right = {k: untimed.document(v) for k, v in stored(base / "honest-out").items()}
        found = stored(base / "mixed-out")
        changed = sum(untimed.document(found[k]) != v for k, v in right.items())
        ratio = mixed / allowed(alone * asked.count / len(right), 2 * each, asked)
        print(f"honest alone {before:.1f} s and {after:.1f} s ({len(right)}), all {mixed:.1f} s")
        print(f"over what the deadlines allow: {ratio:.2f} (at most 1)")
        print(f"honest results that changed: {changed} of {len(right)}")
        for how in ROUGH:
            names = {k: v for k, v in found.items() if k.startswith(how)}
            said = {d["code"] for v in names.values() for d in v["defects"]}
            longest = max((d["timing"]["wall_s"] for d in names.values()), default=0.0)
            print(f"{how}: {len(names)}, {', '.join(sorted(said))}; at most {longest:.1f} s each")
        print(f"left: {len(offspring())} processes")


if __name__ == "__main__":
    main()
