"""Asks the oracle, in a child of the torch zygote, what is right on each case."""

from __future__ import annotations

from pathlib import Path

from grader.errors import SandboxError
from grader.problem import Expected, Paper
from grader.problem import exam as _exam
from grader.records import Ended, read_only
from grader.sandbox.control import Limits
from grader.sandbox.pool import Zygote

SOURCE = Path(_exam.__file__).with_name("oracle.py")
SECONDS = 60.0
REPLY_BYTES = 64 << 20


def expectations(paper: Paper, torch: Zygote) -> dict[str, Expected]:
    """`Expected` for every case of the paper. Raises `SandboxError` when the oracle fails.

    The oracle's child is forked like any other and dies afterwards: nothing
    that it knew is in the zygote or in a submission's process.
    """
    answers = {}
    torch.facts()
    with torch.spawn(Limits(), SECONDS) as child:
        child.request("load-oracle", {"source": SOURCE.read_text()}, 1 << 16)
        for name, case in paper.cases.items():
            reply = child.request("expect", case.inputs, REPLY_BYTES)
            if reply.ended is not Ended.OK:
                why = reply.items.get("error") or reply.detail
                raise SandboxError(f"the oracle failed on {name}: {why}")
            values = {n: read_only(a) for n, a in reply.items.items() if not isinstance(a, str)}
            answers[name] = Expected(case, values)
    return answers
