"""What was done so that a submission could be loaded, as sentences. It costs no points."""

from __future__ import annotations

from grader.child.standin import FRAMEWORKS
from grader.records import Observations, ProcessReport

MOST_ROWS = 8
MOST_MODULES = 12


def loading_notes(observations: Observations) -> tuple[str, ...]:
    """Return sentences about code left out at module level and modules that were missing.

    What is the same for both parts is said once. The words are the child's: text to be shown.
    """
    numpy, torch = _sentences(observations.numpy), _sentences(observations.torch)
    both = [sentence for sentence in numpy if sentence in torch]
    rest = [f"For the NumPy part: {s}" for s in numpy if s not in both]
    rest += [f"For the PyTorch part: {s}" for s in torch if s not in both]
    return (*both, *rest)


def _sentences(report: ProcessReport) -> list[str]:
    sentences = [f"Left out at module level: {note}" for note in report.notes[:MOST_ROWS]]
    if any(not note.of_cell for note in report.notes):
        sentences.append("After that, only imports, definitions and assignments were executed.")
    names = dict.fromkeys(name.partition(".")[0] for name in report.stand_ins)
    tops = [n for n in names if n not in FRAMEWORKS]  # absent from the NumPy part for all
    if tops:
        more = f" and {len(tops) - MOST_MODULES} more" if len(tops) > MOST_MODULES else ""
        named = ", ".join(tops[:MOST_MODULES])
        sentences.append(
            f"Not there, and stood in for by something that does nothing: {named}{more}."
        )
    return sentences
