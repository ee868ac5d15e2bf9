"""All that is seen of one submission: both parts at once, and what further questions bring."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from grader.observe.difference_check import DifferenceCheck, take_difference_check
from grader.observe.kept import Kept
from grader.observe.observe import Allowance, Part, observe_part, together
from grader.observe.trace import Trace, take_trace
from grader.observe.verification import Verification, take_verification
from grader.observe.zygotes import Zygotes
from grader.problem import Paper
from grader.records import Observations, Submission

NO_PART_OF_TORCH = "No module named 'torch."
NO_IMPORT = "the file could not be imported"


class Everything(NamedTuple):
    """The runs, the trace of the NumPy part, and how the submission's own checks work."""

    observations: Observations
    trace: Trace
    verification: Verification
    differences: DifferenceCheck


def seen_of(
    submission: Submission, paper: Paper, zygotes: Zygotes, allowance: Allowance
) -> Everything:
    """Run the submission, and ask what its expressions were and how its own checks work.

    Neither part waits for the other: with a first submission NumPy's is done and traced
    while torch is still being imported. Raises `SandboxError`.
    """
    with Kept() as kept, ThreadPoolExecutor(1) as beside:
        look = _Look(submission, paper, zygotes, allowance, kept)
        later = beside.submit(look.torch)
        numpy, trace = look.numpy()
        torch, verification, differences = later.result()
    return Everything(together(numpy, torch), trace, verification, differences)


def unseen(observations: Observations) -> Everything:
    """Of a submission that could not even be run."""
    untried = Verification(reason=NO_IMPORT), DifferenceCheck(reason=NO_IMPORT)
    return Everything(observations, Trace(), *untried)


class _Look(NamedTuple):
    """One submission on its way through the two warm processes."""

    submission: Submission
    paper: Paper
    zygotes: Zygotes
    allowance: Allowance
    kept: Kept

    def numpy(self) -> tuple[Part, Trace]:
        """What the NumPy part does, and what its expressions were."""
        part = self._part("numpy")
        if not part.report.loaded.ok or part.hung("forward", "backward"):
            return part, Trace()
        zygote, child = self.zygotes.numpy, self.kept.child("numpy")
        trace = take_trace(self.submission, self.paper, "numpy", zygote, self.allowance, child)
        return part, trace

    def torch(self) -> tuple[Part, Verification, DifferenceCheck]:
        """What the PyTorch part does, and how its own checks take wrong gradients."""
        part = self._part("torch")
        if _wants_more(part) and self.zygotes.widen():
            self.kept.drop("torch")
            part = self._part("torch")
        if not part.report.loaded.ok:
            return part, Verification(reason=NO_IMPORT), DifferenceCheck(reason=NO_IMPORT)
        return part, self._verification(part), self._differences()

    def _part(self, side: str) -> Part:
        zygote = self.zygotes.numpy if side == "numpy" else self.zygotes.torch
        return observe_part(self.submission, side, self.paper, zygote, self.allowance, self.kept)

    def _verification(self, part: Part) -> Verification:
        """How its own verification takes wrong gradients."""
        if part.hung("torch", "verify"):
            return Verification(reason="it did not end when it was called")
        zygote, child = self.zygotes.torch, self.kept.child("torch")
        return take_verification(self.submission, self.paper, zygote, self.allowance, child)

    def _differences(self) -> DifferenceCheck:
        """How its own finite-difference check works, if it has one."""
        zygote, child = self.zygotes.torch, self.kept.child("torch")
        return take_difference_check(self.submission, self.paper, zygote, self.allowance, child)


def _wants_more(part: Part) -> bool:
    """Whether a call failed at what torch itself imports late, as `loss.backward(one)` does."""
    return any(NO_PART_OF_TORCH in seen.error for seen in part.runs.values())
