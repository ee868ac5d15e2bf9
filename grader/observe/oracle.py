"""Asks the oracle, in a child of the torch zygote, what is right on each case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grader.errors import SandboxError
from grader.problem import Expected, Paper, Stack, StackAnswers
from grader.problem import exam as _exam
from grader.records import Array, Ended, read_only
from grader.sandbox.control import Limits
from grader.sandbox.pool import Zygote
from grader.sandbox.session import Child

SOURCE = Path(_exam.__file__).with_name("oracle.py")
SECONDS = 60.0
REPLY_BYTES = 64 << 20


def expectations(paper: Paper, torch: Zygote) -> dict[str, Expected]:
    """Return `Expected` for every case of the paper. Raises `SandboxError` when the oracle fails.

    The oracle's child is forked like any other and dies afterwards: nothing
    that it knew is in the zygote or in a submission's process.
    """
    with _oracle(torch) as child:
        return {
            name: Expected(case, _answers(child, "expect", name, case.inputs))
            for name, case in paper.cases.items()
        }


def stack_expectations(paper: Paper, torch: Zygote) -> dict[str, StackAnswers]:
    """Return the same for every stack of layers."""
    with _oracle(torch) as child:
        return {name: _of_stack(child, stack) for name, stack in paper.stacks.items()}


def _of_stack(child: Child, stack: Stack) -> StackAnswers:
    batches = [stack, *([stack.second] if stack.second else [])]
    values = [
        _answers(child, "stack", s.name, {**s.inputs, "kinds": " ".join(s.kinds)}) for s in batches
    ]
    return StackAnswers(stack, values[0], values[1] if len(values) > 1 else {})


@contextmanager
def _oracle(torch: Zygote) -> Iterator[Child]:
    torch.facts()
    with torch.spawn(Limits(), SECONDS) as child:
        child.request("load-oracle", {"source": SOURCE.read_text()}, 1 << 16)
        yield child


def _answers(child: Child, kind: str, name: str, items: Mapping[str, Any]) -> dict[str, Array]:
    reply = child.request(kind, items, REPLY_BYTES)
    if reply.ended is not Ended.OK:
        why = reply.items.get("error") or reply.detail
        raise SandboxError(f"the oracle failed on {name}: {why}")
    return {n: read_only(a) for n, a in reply.items.items() if not isinstance(a, str)}
