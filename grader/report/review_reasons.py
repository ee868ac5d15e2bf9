"""The reasons for which a result needs review by a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from grader.defects import KINDS
from grader.records import Confidence, Severity
from grader.report.stored import Document, failed_checks, is_decided, is_unjudged, unjudged_parts


class ReviewReason(StrEnum):
    """Why a person should look at a result; the most pressing first."""

    UNJUDGED = "unjudged"
    UNDECIDED = "undecided"
    PARTLY = "partly"
    RULES = "rules"
    METHOD = "method"
    BINDINGS = "bindings"
    LIKELY = "likely"
    UNEXPLAINED = "unexplained"
    UNREAD = "unread"


REASONS: Mapping[ReviewReason, tuple[str, str]] = {
    ReviewReason.UNJUDGED: (
        "Unjudged", "It could not be called or read, so it has no score. That is no zero."
    ),
    ReviewReason.UNDECIDED: (
        "Undecided", "The grader or the machine failed; there is no score yet."
    ),
    ReviewReason.PARTLY: (
        "Partly unjudged", "A part of it could not be called; its points are open, and no zero."
    ),
    ReviewReason.RULES: (
        "Rule-breaking attempt",
        "It tried what the sandbox forbids, or used a framework in the NumPy part.",
    ),
    ReviewReason.METHOD: (
        "Method unclear",
        "The numbers are right; whether they were derived as asked is for a person to judge.",
    ),
    ReviewReason.BINDINGS: (
        "Two readings", "Several functions could be the answer, and they differ."
    ),
    ReviewReason.LIKELY: ("Only likely", "Points were lost, and no defect is proven."),
    ReviewReason.UNEXPLAINED: ("Unexplained", "A check fails, and no defect explains it."),
    ReviewReason.UNREAD: (
        "Not all read",
        "There was more of it than the grader reads; the rest was judged by its numbers alone.",
    ),
}  # fmt: skip
"""What a reason is called, and what it means."""

RULE_CODES = frozenset(kind.code for kind in KINDS if kind.breaks_rules)
METHOD_CODES = frozenset(kind.code for kind in KINDS if kind.needs_review)
TWO_READINGS = "ambiguous:"
"""How the binding's sentence begins where several readings give different numbers."""


def review_reasons(document: Document) -> list[str]:
    """Return the reasons that hold for a `result.json`, in the order of `ReviewReason`.

    An outline holds them already, for it lacks what they rest on.
    """
    stored = document.get("reasons")
    return list(stored) if stored is not None else list(_reasons(document))


def _reasons(document: Document) -> Iterator[ReviewReason]:
    if not is_decided(document):
        unjudged = is_unjudged(document)
        yield ReviewReason.UNJUDGED if unjudged else ReviewReason.UNDECIDED
        return
    if unjudged_parts(document):
        yield ReviewReason.PARTLY
    defects = [d for d in document["defects"] if d["severity"] != Severity.INFO.value]
    if any(d["code"] in RULE_CODES for d in defects):
        yield ReviewReason.RULES
    if any(d["code"] in METHOD_CODES for d in document["defects"]):
        yield ReviewReason.METHOD
    if any(TWO_READINGS in text for text in document["binding"].values()):
        yield ReviewReason.BINDINGS
    if defects and all(d["confidence"] == Confidence.LIKELY.value for d in defects):
        yield ReviewReason.LIKELY
    if any(not check["explained_by"] for check in failed_checks(document)):
        yield ReviewReason.UNEXPLAINED
    if document["submission"].get("left_out"):
        yield ReviewReason.UNREAD
