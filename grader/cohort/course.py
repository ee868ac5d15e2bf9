"""How a submission is called under the contract of its course."""

from __future__ import annotations

from dataclasses import replace

from grader.records import Submission
from grader.records.submission import NUMPY_FUNCTIONS, TORCH_FUNCTION
from grader.rubric import Contract


def apply_contract(submission: Submission, contract: Contract | None) -> Submission:
    """Return `submission` with what the course says of its skeleton.

    What its own `submission.yaml` names goes before the contract: it speaks of this one
    answer, and a name earns nothing, for the numbers decide. A note says so.
    """
    if contract is None:
        return submission
    named = set(submission.names)
    sent_contract = contract.told(
        numpy=named.isdisjoint(NUMPY_FUNCTIONS), torch=TORCH_FUNCTION not in named
    )
    stated = {*contract.called, *(NUMPY_FUNCTIONS if contract.numpy else ())}
    stated |= {TORCH_FUNCTION} if contract.torch else set()
    overruled = ", ".join(n for n in submission.names if n in stated)
    words = f"submission.yaml names {overruled}: that goes before the contract “{contract.title}”."
    notes = (*submission.notes, words) if overruled else submission.notes
    names = contract.called | dict(submission.names)
    return replace(submission, names=names, contract=sent_contract, notes=notes)
