"""Which results want a human's look, and why: what a number alone should not decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grader.records import CheckStatus, Confidence, GradeStatus, Severity

REASONS: Mapping[str, tuple[str, str]] = {
    "undecided": ("Undecided", "The grader or the machine failed; there is no score yet."),
    "rules": ("Rule-breaking attempt", "It tried what the sandbox forbids, or used a framework "
              "in the NumPy part."),
    "bindings": ("Two readings", "Several functions could be the answer, and they differ."),
    "likely": ("Only likely", "Points were lost, and no defect is proven."),
    "unexplained": ("Unexplained", "A check fails, and no defect explains it."),
}  # fmt: skip
"""By key: what it is called, and what it means; the most pressing first."""

RULE_CODES = ("sandbox-violation", "framework-in-numpy-part")
TWO_READINGS = "ambiguous:"
"""How the binding's sentence begins where several readings give different numbers."""


def wants(document: Mapping[str, Any]) -> list[str]:
    """The keys of `REASONS` that hold for a `result.json`, in their order."""
    kept = document.get("wants")
    return list(kept) if kept is not None else list(_reasons(document))


def _reasons(document: Mapping[str, Any]) -> Iterator[str]:
    if document["status"] != GradeStatus.GRADED.value:
        yield "undecided"
        return
    defects = [d for d in document["defects"] if d["severity"] != Severity.INFO.value]
    failed = [c for c in document["checks"] if c["status"] == CheckStatus.FAIL.value]
    if any(d["code"] in RULE_CODES for d in defects):
        yield "rules"
    if any(TWO_READINGS in text for text in document.get("binding", {}).values()):
        yield "bindings"
    if defects and all(d["confidence"] == Confidence.LIKELY.value for d in defects):
        yield "likely"
    if any(not c.get("explained_by") for c in failed):
        yield "unexplained"
