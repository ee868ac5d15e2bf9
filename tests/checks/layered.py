"""Layers tried in a real child, without the rest of an examination."""

from __future__ import annotations

from dataclasses import dataclass

from grader.checks import View, run_checks
from grader.checks.layers import LAYERS
from grader.defects.clues import Clues
from grader.diagnosis.layers import layer_defects
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.observe.observe import Allowance, _side
from grader.observe.oracle import stack_expectations
from grader.observe.plan import layer_steps
from grader.observe.trace import Trace
from grader.problem import Exam, set_paper
from grader.records import CheckStatus, Defect, Finding, Observations, SourceFile, Submission
from grader.sandbox.pool import Zygote

PAPER = set_paper(77)

RIGHT = """
import numpy as np


class Linear:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, upstream):
        self.dW = self.x.T @ upstream
        self.db = upstream.sum(axis=0)
        return upstream @ self.W.T


class ReLU:
    def forward(self, x):
        self.mask = x > 0
        return np.maximum(x, 0)

    def backward(self, upstream):
        return upstream * self.mask


class SoftmaxCrossEntropy:
    def forward(self, logits, y):
        shifted = logits - logits.max(axis=1, keepdims=True)
        logP = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.P, self.y = np.exp(logP), y
        losses = -logP[np.arange(len(y)), y]
        return losses.mean()

    def backward(self):
        d = self.P.copy()
        d[np.arange(len(self.y)), self.y] -= 1
        return d / len(self.y)
"""


@dataclass(frozen=True)
class Tried:
    """What the checks and the diagnosis made of some layers."""

    seen: View
    findings: dict[str, Finding]
    defects: tuple[Defect, ...]

    @property
    def statuses(self) -> dict[str, CheckStatus]:
        """By the second half of the check's id."""
        return {id.partition(".")[2]: f.status for id, f in self.findings.items()}

    @property
    def failed(self) -> set[str]:
        return {name for name, status in self.statuses.items() if status is CheckStatus.FAIL}


def edited(*changes: tuple[str, str]) -> str:
    """The right layers with some text replaced, which must be there once."""
    text = RIGHT
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def exam(torch: Zygote) -> Exam:
    return Exam(PAPER, {}, (1.0, 1.0), stack_expectations(PAPER, torch))


def submission(text: str) -> Submission:
    return assemble("id", "name", Read((SourceFile("solution.py", text.encode()),), ()))


def tried(given: Exam, numpy: Zygote, text: str) -> Tried:
    """The layers of a source, run as the engine runs them, checked and diagnosed."""
    one = submission(text)
    ours = _side(one, "numpy", layer_steps(PAPER), PAPER, numpy, Allowance(20.0))
    seen = View(given, Observations(ours.report, ours.report, ours.runs))
    findings = {f.check: f for f in run_checks(LAYERS, seen)}
    clues = Clues(one, seen, findings, (None, None), Trace)
    found = layer_defects(clues, [])
    return Tried(seen, findings, tuple(defect for defect, _ in found))
