"""What an examination brings: each part by itself, and why something is not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from grader.intake import take_in
from grader.observe.examination import NO_IMPORT, ExaminedSubmission, examine
from grader.observe.observe import Allowance
from grader.observe.zygotes import Zygotes
from grader.problem import set_paper
from grader.records import Ended, SourceFile

REFERENCE = take_in(Path(__file__).parents[2] / "reference")
PAPER = set_paper(3)


def examined(zygotes: Zygotes, old: str = "", new: str = "") -> ExaminedSubmission:
    """Of the reference, with one piece of its source replaced."""
    main = next(f for f in REFERENCE.files if f.path == REFERENCE.main)
    text = main.data.decode()
    assert old in text
    edited = SourceFile(main.path, text.replace(old, new, 1).encode())
    files = tuple(edited if f is main else f for f in REFERENCE.files)
    return examine(replace(REFERENCE, files=files), PAPER, zygotes, Allowance(1.5))


def test_the_reference_shows_all(zygotes: Zygotes) -> None:
    record = examined(zygotes)
    for step in ("forward/primes", "backward/primes", "torch/primes", "verify/primes"):
        assert record.observations[step].ok, step
    assert record.trace.values
    assert record.verification.accepts
    assert record.differences.reason == ""


def test_a_part_that_hangs_costs_the_other_nothing(zygotes: Zygotes) -> None:
    hangs = "def torch_forward_backward"
    record = examined(
        zygotes, hangs, "def torch_forward_backward(*_):\n    while 1: pass\n\ndef old"
    )
    assert record.observations["torch/primes"].ended is Ended.TIMEOUT
    assert record.observations["backward/primes"].ok
    assert record.trace.values
    assert record.verification.reason == "it did not end when it was called"


def test_what_cannot_be_imported_is_asked_nothing_more(zygotes: Zygotes) -> None:
    record = examined(zygotes, "import numpy as np", "import numpy as np\ndef (")
    assert not record.observations.torch.loaded.ok
    assert record.verification.reason == NO_IMPORT
    assert record.differences.reason == NO_IMPORT
    assert not record.trace.values
