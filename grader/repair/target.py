"""What a part should answer once a defect is repaired and others are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from grader.checks.view import View
from grader.defects.edits.blame import Operator
from grader.defects.explanation import Account, Culprit
from grader.diagnosis.numeric import code_of
from grader.diagnosis.passes import gradients_of
from grader.diagnosis.simulate import flow_of
from grader.observe.trial import Answer
from grader.problem.network import LEAVES
from grader.records import Array, Case
from grader.repair.candidates import AFTERWARDS

TELLING = {
    "numpy": ("square", "absent", "batch_is_classes", "overflow", "underflow", "offsets"),
    "torch": ("square", "absent", "batch_is_classes", "overflow"),
}


class Target:
    """The right answers of one part on a few cases, and those with some faults left in."""

    def __init__(self, part: Account | None, view: View, cases: Sequence[Case]) -> None:
        self.part, self.view, self.cases = part, view, cases
        known = part.explanation if part is not None else None
        whole = known is not None and not known.unexplained
        self.culprits = part.culprits if part is not None and whole else ()

    def without(self, left: set[str]) -> Answer:
        """Return what is wanted when only the codes in `left` are still wrong."""
        found = [c for c in self.culprits if self.part and code_of(c.fault, self.part) in left]
        wanted: dict[tuple[str, str], Array] = {}
        for case in self.cases:
            try:
                wanted |= self._right(case) if not found else self._wrong(case, found)
            except (ValueError, IndexError):
                continue  # the faults left raise there
        return wanted

    def _right(self, case: Case) -> Answer:
        expected = self.view.expected(case.name)
        return {(case.name, "loss"): expected["loss"]} | {
            (case.name, leaf): expected[f"d{leaf}"] for leaf in LEAVES
        }

    def _wrong(self, case: Case, found: Sequence[Culprit]) -> Answer:
        assert self.part is not None
        flow = flow_of(case, found)
        if flow is None:
            return {}
        codes = {f.fault.code for f in found}
        free = [f for f in self.part.explanation.free if f.code in codes]
        gradients = gradients_of(dict(flow), found, free)
        wanted = {(case.name, leaf): gradients[leaf] for leaf in LEAVES}
        return wanted | {(case.name, "loss"): np.asarray(flow["loss"])}

    def companions(self, code: str) -> Iterator[tuple[tuple[Operator, ...], Array]]:
        """Yield steps that were right for the fault `code` alone: their repairs and their value."""
        if self.part is None:
            return
        flow = flow_of(self.cases[0], self.culprits)
        if flow is None:
            return
        flow = dict(flow)
        gradients_of(flow, self.culprits, self.part.explanation.free)
        for free in self.part.explanation.free:
            if free.code == code and free.step in AFTERWARDS:
                yield AFTERWARDS[free.step], flow[free.step]


def telling_cases(view: View, side: str) -> list[Case]:
    """`primes`, and up to two more on which something is wrong; huge ones where `primes` is."""
    exam, prefix = view.exam, ("backward", "forward") if side == "numpy" else ("torch", "torch")

    def wrong(case: str) -> bool:
        expected = view.expected(case)
        backward, forward = (view.observations[f"{p}/{case}"].arrays for p in prefix)
        arrays = {**backward, "loss": forward.get("loss", np.array(np.nan))}
        names = {"loss": "loss"} | {leaf: f"d{leaf}" for leaf in LEAVES}
        return not all(
            n in arrays
            and arrays[n].shape == expected[name].shape
            and expected.error(name, arrays[n]) <= 1e-8
            for n, name in names.items()
        )

    others = TELLING[side]
    chosen = [c for c in others if wrong(c)]
    if wrong("primes"):
        chosen = [c for c in ("underflow", "square") if c in others] or ["square"]
    return [exam.paper.cases[c] for c in ("primes", *chosen[:2])]
