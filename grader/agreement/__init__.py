"""Hold the grader against a panel of markers: how they agree, and which weights fit better."""

from grader.agreement.comparison import Comparison, compare
from grader.agreement.page import PAGE_FILE, render_agreement
from grader.agreement.suggestion import Suggestion, suggest

__all__ = ["PAGE_FILE", "Comparison", "Suggestion", "compare", "render_agreement", "suggest"]
