"""What a finder may look at: the source, what was seen, and both traces with their names."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cached_property

from grader.checks.view import View
from grader.diagnosis.sources import read_on_primes
from grader.observe.reading import NamedTrace
from grader.observe.trace import Trace, TracedValue
from grader.records import Defect
from grader.source.program import Function, Program, Spot, in_order

CONTRACT = ("forward", "backward", "torch_forward_backward", "verify")


class Clues:
    """One submission, as its finders see it; traces are read when one first asks."""

    def __init__(self, program: Program, view: View, torch_trace: Callable[[], Trace]) -> None:
        self.program, self.seen, self._torch_trace = program, view, torch_trace

    @cached_property
    def torch_trace(self) -> Trace:
        """The trace of the PyTorch part."""
        return self._torch_trace()

    @cached_property
    def numpy(self) -> NamedTrace:
        """The NumPy part's trace with names."""
        return read_on_primes(self.seen.trace, self.seen)

    @cached_property
    def torch(self) -> NamedTrace:
        """The PyTorch part's trace with names."""
        return read_on_primes(self.torch_trace, self.seen)

    def reached(self, *names: str) -> list[Function]:
        """The contract's functions `names` with what they call, the contract's others left out."""
        return self.program.reached(*names, without=[n for n in CONTRACT if n not in names])

    def nodes(self, *names: str) -> Iterator[tuple[Function, ast.AST]]:
        """All nodes of these functions, function by function, in the order of the source."""
        for function in self.reached(*names):
            for node in in_order(ast.walk(function.node)):
                yield function, node

    def line(self, spot: Spot) -> str | None:
        """The text of a spot's first line."""
        lines = self.program.lines.get(spot.file, ())
        return lines[spot.line - 1].strip() if 0 < spot.line <= len(lines) else None


Finder = Callable[[Clues, Defect], Spot | None]


def spot_of(value: TracedValue) -> Spot:
    """Where a traced expression stands."""
    return Spot(value.file, value.line, value.end_line)
