"""What is known of one submission, as the declarations of the kinds look at it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

from grader.checks.view import View
from grader.defects.derivation import Derivation
from grader.defects.explanation import Account
from grader.observe.reading import NamedTrace
from grader.observe.trace import Trace, TracedValue
from grader.records import Defect, Ended, Finding, Submission
from grader.source.program import Function, Program, Spot, in_order

CONTRACT = ("forward", "backward", "torch_forward_backward", "verify")


class Clues:
    """One submission with all that was found out about it; traces are read when first asked for.

    `numpy` and `torch` are the two halves as the fault table explains them.
    """

    def __init__(
        self,
        submission: Submission,
        view: View,
        findings: Mapping[str, Finding],
        accounts: tuple[Account | None, Account | None],
        torch_trace: Callable[[], Trace],
    ) -> None:
        self.submission, self.view, self.findings = submission, view, findings
        self.numpy, self.torch = accounts
        self.program = Program(submission)
        self._torch_trace = torch_trace

    @cached_property
    def torch_trace(self) -> Trace:
        """Return the trace of the PyTorch part."""
        return self._torch_trace()

    def trace(self, *, torch: bool) -> Trace:
        """Return the trace of one part."""
        return self.torch_trace if torch else self.view.trace

    @cached_property
    def named(self) -> NamedTrace:
        """Return the NumPy part's trace with names."""
        return self.view.named

    @cached_property
    def derivation(self) -> Derivation:
        """Return how backward comes by its gradients."""
        return Derivation(self.view, self.program)

    @cached_property
    def torch_named(self) -> NamedTrace:
        """Return the PyTorch part's trace with names."""
        return self.view.names_of(self.torch_trace)

    def ended(self, *steps: str) -> bool:
        """Return whether the calls that a comparison needs came to an end."""
        ends = {self.view.observations[step].ended for step in steps}
        return not ends & {Ended.TIMEOUT, Ended.NOT_RUN}

    def reached(self, *names: str) -> list[Function]:
        """Return the contract's functions `names` with what they call, without its others."""
        return self.program.reached(*names, without=[n for n in CONTRACT if n not in names])

    def nodes(self, *names: str) -> Iterator[tuple[Function, ast.AST]]:
        """Yield all nodes of these functions, function by function, in the order of the source."""
        for function in self.reached(*names):
            for node in in_order(ast.walk(function.node)):
                yield function, node

    def line(self, spot: Spot) -> str | None:
        """Return the text of a spot's first line."""
        return line_of(spot, self.program.lines)


Lines = Mapping[str, Sequence[str]]
"""The lines of each file, by path."""


def line_of(spot: Spot, lines: Lines) -> str | None:
    """Return the text of a spot's first line; None where the file has no such line."""
    rows = lines.get(spot.file, ())
    return rows[spot.line - 1].strip() if 0 < spot.line <= len(rows) else None


Finder = Callable[[Clues, Defect], Spot | None]
"""Looks for the line of a defect; whether it is there at all has been settled."""


def spot_of(value: TracedValue) -> Spot:
    """Return where a traced expression stands."""
    return Spot(value.file, value.line, value.end_line)
