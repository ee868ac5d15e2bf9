"""How often the diagnosis is right: mistakes made on purpose, and what is said of them.

    python -m tests.benchmarks.diagnosis [--limit N] [--pairs] [--composed] [--show CODE]
        [--mends]

Every mutant is a correct solution of `tests/diagnosis/styles` with one mistake, or
with two, made by editing its syntax tree; its label is the mistake that was made.
`--composed` takes the solutions of `tests/diagnosis/variants.py` instead: whoever
improves the diagnosis by looking at the misses of the first kind has the second to
see whether that holds elsewhere.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from grader.bundled import bundled
from grader.checks import ALL_CHECKS, View
from grader.cohort import Engine, Settings
from grader.diagnosis import Diagnosis
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.observe.trace import Trace
from grader.observe.zygotes import Zygotes
from grader.records import CheckStatus, Defect, Finding, Severity, SourceFile, Submission
from grader.rubric import load_rubric
from tests.benchmarks.mutation.make import Label, Mutant, Workshop
from tests.diagnosis.variants import variants

STYLES = Path(__file__).parents[1] / "diagnosis" / "styles"
PER_CODE = 9
PAIRS = 200
SEED = 7
MISSES = 45


class Timed(Engine):
    """An engine that notes the processor time of every diagnosis."""

    def _diagnose(
        self,
        submission: Submission,
        view: View,
        findings: Sequence[Finding],
        torch_trace: Callable[[], Trace],
    ) -> Diagnosis:
        started = time.thread_time()
        try:
            return super()._diagnose(submission, view, findings, torch_trace)
        finally:
            self.__dict__.setdefault("spent", []).append(time.thread_time() - started)


@dataclass(frozen=True)
class Verdict:
    """What was said of one mutant; `said` are the defects that count for its labels."""

    mutant: Mutant
    said: tuple[Defect, ...]
    loses: bool = True

    def hit(self, label: Label) -> Defect | None:
        return next((d for d in self.said if d.code in label.codes), None)

    @property
    def expected(self) -> set[str]:
        return {code for label in self.mutant.labels for code in label.codes}

    @property
    def first_right(self) -> bool:
        return bool(self.said) and self.said[0].code in self.expected

    @property
    def exact(self) -> bool:
        """Every mistake is named, and nothing else is."""
        named = all(self.hit(label) for label in self.mutant.labels)
        return named and all(d.code in self.expected for d in self.said)

    @property
    def abstains(self) -> bool:
        honest = any(code.endswith("-unexplained") for code in self.expected)
        return not honest and all(d.code.endswith("-unexplained") for d in self.said)


def judge(engine: Engine, mutant: Mutant) -> Verdict:
    file = SourceFile("solution.py", mutant.source.encode())
    result = engine.grade(assemble("mutant", "mutant", Read((file,), ())))
    if result.fault:
        raise SystemExit(f"{mutant.name}: {result.fault}")
    labelled = {code for label in mutant.labels for code in label.codes}
    counts = [d for d in result.defects if d.severity is not Severity.INFO or d.code in labelled]
    loses = any(c.status is CheckStatus.FAIL for c in result.grade.checks)
    return Verdict(mutant, tuple(counts), loses)


def table(title: str, verdicts: Sequence[Verdict]) -> None:
    """The figures of one kind of mutant."""
    said = [(v, d) for v in verdicts for d in v.said]
    labels = [(v, label) for v in verdicts for label in v.mutant.labels]
    hits = [(label, hit) for v, label in labels if (hit := v.hit(label)) is not None]
    placed = [(label, hit) for label, hit in hits if label.lines]
    lined = [(label, hit) for label, hit in placed if hit.line is not None]
    reach = [(label, hit) for label, hit in hits if label.tensors is not None]
    answered = [v for v in verdicts if not v.abstains]
    print(f"\n{title}: {len(verdicts)} mutants of {len({_style(v) for v in verdicts})} styles")
    share("top-1: the first defect is the mistake", (v.first_right for v in answered))
    share("precision: of all defects said", (d.code in v.expected for v, d in said))
    share("recall: of all mistakes made", (v.hit(label) is not None for v, label in labels))
    share("exact: all mistakes and nothing else", (v.exact for v in verdicts))
    share("abstained", (v.abstains for v in verdicts))
    share(
        "right line, of all found",
        (hit.line in (*label.lines, *label.near) for label, hit in placed),
    )
    share(
        "right line, where one is given",
        (hit.line in (*label.lines, *label.near) for label, hit in lined),
    )
    share(
        "right tensors, of those clear", (set(hit.tensors) == label.tensors for label, hit in reach)
    )
    proven = [d.code in v.expected for v, d in said if d.confidence == "proven"]
    share("right, of those called proven", proven)


def mends(verdicts: Sequence[Verdict], most: int = MISSES) -> None:
    """How many of the defects that have a line, and cost a check, have a mend that is proven."""
    able = [(v, d) for v in verdicts for d in v.said if v.loses and d.line is not None]
    share("mends that work", (d.mend is not None for _, d in able))
    alone = [d.mend for v, d in able if len(v.said) == 1]
    share("mends after which every check passes", (bool(m and "every" in m.words) for m in alone))
    left: Counter[str] = Counter()
    example: dict[str, str] = {}
    for verdict, defect in able:
        if defect.mend is None:
            left[defect.code] += 1
            example.setdefault(defect.code, f"{verdict.mutant.name} line {defect.line}")
    for code, count in left.most_common(most):
        print(f"  {count:3}  not mended: {code}   e.g. {example[code]}")


def share(words: str, outcomes: Iterable[bool]) -> None:
    got = list(outcomes)
    part = f"{100 * sum(got) / len(got):5.1f} %" if got else "    – "
    print(f"  {words:42} {part}  ({sum(got)}/{len(got)})")


def misses(verdicts: Sequence[Verdict], most: int = MISSES) -> None:
    """The most frequent ways of being wrong, each with one mutant that shows it."""
    seen: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], str] = {}
    for verdict in verdicts:
        if not verdict.exact:
            wanted = " + ".join(label.codes[0] for label in verdict.mutant.labels)
            key = (wanted, ", ".join(d.code for d in verdict.said) or "nothing")
            seen[key] += 1
            example.setdefault(key, verdict.mutant.name)
    if seen:
        print("\nnot exact: expected → said")
    for (wanted, got), count in seen.most_common(most):
        print(f"  {count:3}  {wanted} → {got}   e.g. {example[wanted, got]}")


def misplaced(verdicts: Sequence[Verdict], most: int = MISSES) -> None:
    """Right codes on a wrong line, or with wrong tensors."""
    lines: Counter[str] = Counter()
    example: dict[str, str] = {}
    for verdict in verdicts:
        for label in verdict.mutant.labels:
            if (hit := verdict.hit(label)) is None:
                continue
            if label.lines and hit.line not in (*label.lines, *label.near):
                key = f"{label.codes[0]}: line"
                lines[key] += 1
                example.setdefault(key, f"{verdict.mutant.name} got {hit.line}, not {label.lines}")
            if label.tensors is not None and set(hit.tensors) != label.tensors:
                key = f"{label.codes[0]}: tensors"
                lines[key] += 1
                wanted = ",".join(sorted(label.tensors))
                got = ",".join(hit.tensors)
                example.setdefault(key, f"{verdict.mutant.name} got {got or 'none'}, not {wanted}")
    if lines:
        print("\nright code, wrong place")
    for key, count in lines.most_common(most):
        print(f"  {count:3}  {key}   e.g. {example[key]}")


def show(verdicts: Sequence[Verdict], code: str, styles: Mapping[str, str]) -> None:
    """The changed lines of the mutants that are not exact, and what was said."""
    for verdict in verdicts:
        mutant = verdict.mutant
        if verdict.exact or (code != "all" and code not in verdict.expected):
            continue
        print(f"\n── {mutant.name}")
        before = styles[_style(verdict)].splitlines()
        after = mutant.source.splitlines()
        for number, line in enumerate(after, 1):
            if number > len(before) or line != before[number - 1]:
                print(f"  {number:4}  {line.strip()}")
        for defect in verdict.said:
            print(f"  said: {defect.code} {defect.tensors} line {defect.line}: {defect.message}")


def _style(verdict: Verdict) -> str:
    return verdict.mutant.name.partition(":")[0]


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--limit", type=int, default=0, help="at most so many mutants of each kind")
    words.add_argument("--composed", action="store_true", help="mutants of composed solutions")
    words.add_argument("--pairs", action="store_true", help="two mistakes at a time as well")
    words.add_argument(
        "--show", metavar="CODE", default="", help="print misses of a code, or `all`"
    )
    words.add_argument("--mends", action="store_true", help="mend what is wrong, and count it")
    words.add_argument("--seed", type=int, default=SEED, help="the seed of the examination")
    asked = words.parse_args()
    started = time.perf_counter()
    styles = {p.stem: p.read_text() for p in sorted(STYLES.glob("*.py"))}
    workshop = Workshop({v.name: v.source for v in variants()} if asked.composed else styles)
    single = workshop.singles(PER_CODE)
    kinds = {"one mistake": single}
    if asked.pairs:
        kinds["two mistakes"] = list(workshop.pairs(single, PAIRS))
    rubric = load_rubric(bundled("rubrics") / "onsite.yaml", [c.id for c in ALL_CHECKS])
    with Zygotes() as zygotes, ThreadPoolExecutor(2) as pool:
        engine = Timed(rubric, Settings(seed=asked.seed, mends=asked.mends), zygotes)
        for title, mutants in kinds.items():
            if asked.limit:
                mutants = random.Random(SEED).sample(mutants, min(asked.limit, len(mutants)))
            verdicts = list(pool.map(lambda m: judge(engine, m), mutants))
            table(title, verdicts)
            if asked.mends:
                mends(verdicts)
            misses(verdicts)
            misplaced(verdicts)
            if asked.show:
                show(verdicts, asked.show, workshop.styles)
    spent = sorted(engine.__dict__["spent"])
    median, late = (1000 * spent[int(len(spent) * part)] for part in (0.5, 0.95))
    print(
        f"\n{median:.1f} ms of processor time a diagnosis (median; 95 % are within {late:.1f} ms)"
    )
    print(f"{time.perf_counter() - started:.0f} s in all")


if __name__ == "__main__":
    main()
