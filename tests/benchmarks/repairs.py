"""How many answers with one broken token are graded as what they are behind it.

    python -m tests.benchmarks.repairs [--only ANSWER] [--verbose]

Each of `breakages.BREAKAGES` is graded, and the answer that it was made of. A *repair* is right
where every check says what it says of the unbroken answer, and the text means the same but for
its docstrings or answers alike in every check; one that is not was "repaired into something that
the candidate did not write" (target: none).
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from functools import cache
from pathlib import Path

from grader.bundled import bundled
from grader.checks import ALL_CHECKS
from grader.cohort import Engine, Settings
from grader.intake import take_in
from grader.observe.zygotes import Zygotes
from grader.records import Result, Submission
from grader.repair.correction import changed
from grader.rubric import load_rubric
from tests.benchmarks.breakages import BREAKAGES, Breakage

ROOT = Path(__file__).parents[2]
SEED = 11


@cache
def answer(name: str) -> Submission:
    """Return the unbroken answer."""
    return take_in(bundled("reference") if name == "reference" else ROOT / "submissions" / name)


def broken(breakage: Breakage) -> Submission:
    """Return the answer with its one slip."""
    whole = answer(breakage.answer)
    text = next(f.data for f in whole.files if f.path == whole.main).decode()
    assert breakage.written in text, breakage
    data = text.replace(breakage.written, breakage.broken, 1).encode()
    return changed(whole, whole.main, data)


def statuses(result: Result) -> dict[str, str]:
    """Return what each check says; what the source says of itself is left out."""
    return {c.id: c.status for c in result.grade.checks if not c.id.startswith("explanations.")}


def verdict(breakage: Breakage, result: Result, whole: Result) -> str:
    """Return how a broken answer came out."""
    same = statuses(result) == statuses(whole)
    if not result.corrections:
        return "runs all the same" if same else "left"
    return "repaired" if same else "something else"


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    counts, hoped, seconds, shares = Counter[str](), Counter[str](), list[float](), list[float]()
    with Zygotes() as zygotes:
        rubric = load_rubric(bundled("rubrics") / "onsite.yaml", [c.id for c in ALL_CHECKS])
        engine = Engine(rubric, Settings(SEED), zygotes)
        wholes = cache(lambda name: engine.grade(answer(name)))
        for breakage in BREAKAGES:
            if options.only not in breakage.answer:
                continue
            whole, started = wholes(breakage.answer), time.perf_counter()
            result = engine.grade(broken(breakage))
            seconds.append(time.perf_counter() - started)
            came = verdict(breakage, result, whole)
            counts[came] += 1
            if came == "repaired":
                shares.append(result.grade.score / whole.grade.score)
            if breakage.leads_back:
                hoped[came] += 1
            if options.verbose or came == "something else":
                row = f"{came:18} {breakage.leads_back!s:5} {result.grade.score:5.1f} "
                print(f"{row}{breakage.answer:16.16} {breakage.broken!r}  {result.uncorrected}")
                for c in result.corrections if came != "left" else ():
                    print(f"      {c.line}: {c.after.strip()!r}")
    total = sum(counts.values())
    print(f"{total} breakages: {dict(counts)}")
    print(f"of {sum(hoped.values())} that one smallest edit leads back from: {dict(hoped)}")
    print(f"repaired: {counts['repaired'] / total:.0%}, all of them with the unbroken checks")
    print(f"repaired into something that the candidate did not write: {counts['something else']}")
    if shares:
        print(f"score of the repaired over the unbroken: median {statistics.median(shares):.0%}")
    print(f"seconds a grade: median {statistics.median(seconds):.1f}, most {max(seconds):.1f}")


if __name__ == "__main__":
    main()
