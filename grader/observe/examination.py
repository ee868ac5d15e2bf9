"""Examines one submission: both parts at once, and what further questions bring."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from grader.observe.difference_check import DifferenceCheck, take_difference_check
from grader.observe.error_words import ErrorWord, error_words
from grader.observe.observe import Allowance, PartRuns, observe_part, together
from grader.observe.spare import SpareChildren
from grader.observe.trace import Trace, take_trace
from grader.observe.trials import Examinee
from grader.observe.verification import Verification, take_verification
from grader.observe.zygotes import Zygotes
from grader.problem import Paper
from grader.records import Observations, Submission

NO_IMPORT = "the file could not be imported"


class ExaminedSubmission(NamedTuple):
    """The runs, the trace of the NumPy part, and how the submission's own checks work."""

    observations: Observations
    trace: Trace
    verification: Verification
    differences: DifferenceCheck


def examine(
    submission: Submission, paper: Paper, zygotes: Zygotes, allowance: Allowance
) -> ExaminedSubmission:
    """Run the submission, and ask what its expressions were and how its own checks work.

    Neither part waits for the other: with a first submission NumPy's is done and traced
    while torch is still being imported. Raises `SandboxError`.
    """
    with SpareChildren() as spare, ThreadPoolExecutor(1) as beside:
        examiner = _Examiner(submission, paper, zygotes, allowance, spare)
        later = beside.submit(examiner.torch)
        numpy, trace = examiner.numpy()
        torch, verification, differences = later.result()
    return ExaminedSubmission(together(numpy, torch), trace, verification, differences)


def without_runs(observations: Observations) -> ExaminedSubmission:
    """Return what is known of a submission that could not even be run."""
    untried = Verification(reason=NO_IMPORT), DifferenceCheck(reason=NO_IMPORT)
    return ExaminedSubmission(observations, Trace(), *untried)


class _Examiner(NamedTuple):
    """Takes one submission through the two warm processes."""

    submission: Submission
    paper: Paper
    zygotes: Zygotes
    allowance: Allowance
    spare: SpareChildren

    def numpy(self) -> tuple[PartRuns, Trace]:
        """Run the NumPy part, and trace what its expressions were."""
        part = self._part("numpy")
        if not part.report.loaded.ok or part.hung("forward", "backward"):
            return part, Trace()
        zygote, child = self.zygotes.numpy, self.spare.child("numpy")
        trace = take_trace(self.submission, self.paper, "numpy", zygote, self.allowance, child)
        return part, trace

    def torch(self) -> tuple[PartRuns, Verification, DifferenceCheck]:
        """Run the PyTorch part, and show its own checks wrong gradients."""
        part = self._part("torch")
        if _lacks_modules(part) and self.zygotes.widen():
            self.spare.drop("torch")
            part = self._part("torch")
        if not part.report.loaded.ok:
            return part, Verification(reason=NO_IMPORT), DifferenceCheck(reason=NO_IMPORT)
        if part.hung("torch", "verify"):
            verification = Verification(reason="it did not end when it was called")
        else:
            verification = take_verification(self._examinee())
        return part, verification, take_difference_check(self._examinee())

    def _examinee(self) -> Examinee:
        child = self.spare.child("torch")
        return Examinee(self.submission, self.paper, self.zygotes.torch, self.allowance, child)

    def _part(self, side: str) -> PartRuns:
        zygote = self.zygotes.numpy if side == "numpy" else self.zygotes.torch
        return observe_part(self.submission, side, self.paper, zygote, self.allowance, self.spare)


def _lacks_modules(part: PartRuns) -> bool:
    """Return whether a call failed at what torch itself imports late, as `backward(one)` does."""
    return any(ErrorWord.TORCH_PART in error_words(run.error) for run in part.runs.values())
