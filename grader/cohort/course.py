"""How a submission is called under the contract of its course."""

from __future__ import annotations

from dataclasses import replace

from grader.records import Submission
from grader.rubric import Contract


def apply_contract(submission: Submission, contract: Contract | None) -> Submission:
    """`submission` with what the course says of its skeleton.

    What its own `submission.yaml` names goes before the contract: it speaks of this one
    answer, and a name earns nothing, for the numbers decide. A note says so.
    """
    if contract is None:
        return submission
    named = set(submission.names)
    sent_contract = contract.told(
        numpy=not {"forward", "backward"} & named, torch="torch_forward_backward" not in named
    )
    says = set(contract.called)
    says |= {"forward", "backward"} if contract.numpy else set()
    says |= {"torch_forward_backward"} if contract.torch else set()
    overruled = ", ".join(n for n in submission.names if n in says)
    words = f"submission.yaml names {overruled}: that goes before the contract “{contract.title}”."
    notes = (*submission.notes, words) if overruled else submission.notes
    names = contract.called | dict(submission.names)
    return replace(submission, names=names, contract=sent_contract, notes=notes)
