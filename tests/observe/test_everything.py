"""Everything that is seen of a submission: each part by itself, and why something is not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from grader.intake import take_in
from grader.observe.everything import NO_IMPORT, Everything, seen_of
from grader.observe.observe import Allowance
from grader.observe.zygotes import Zygotes
from grader.problem import set_paper
from grader.records import Ended, SourceFile

REFERENCE = take_in(Path(__file__).parents[2] / "reference")
PAPER = set_paper(3)


def seen(zygotes: Zygotes, old: str = "", new: str = "") -> Everything:
    """Of the reference, with one piece of its source replaced."""
    main = next(f for f in REFERENCE.files if f.path == REFERENCE.main)
    text = main.data.decode()
    assert old in text
    edited = SourceFile(main.path, text.replace(old, new, 1).encode())
    files = tuple(edited if f is main else f for f in REFERENCE.files)
    return seen_of(replace(REFERENCE, files=files), PAPER, zygotes, Allowance(1.5))


def test_the_reference_shows_everything(zygotes: Zygotes) -> None:
    everything = seen(zygotes)
    for step in ("forward/primes", "backward/primes", "torch/primes", "verify/primes"):
        assert everything.observations[step].ok, step
    assert everything.trace.values
    assert everything.verification.accepts
    assert everything.differences.reason == ""


def test_a_part_that_hangs_costs_the_other_nothing(zygotes: Zygotes) -> None:
    hangs = "def torch_forward_backward"
    everything = seen(
        zygotes, hangs, "def torch_forward_backward(*_):\n    while 1: pass\n\ndef old"
    )
    assert everything.observations["torch/primes"].ended is Ended.TIMEOUT
    assert everything.observations["backward/primes"].ok
    assert everything.trace.values
    assert everything.verification.reason == "it did not end when it was called"


def test_what_cannot_be_imported_is_asked_nothing_more(zygotes: Zygotes) -> None:
    everything = seen(zygotes, "import numpy as np", "import numpy as np\ndef (")
    assert not everything.observations.torch.loaded.ok
    assert everything.verification.reason == NO_IMPORT
    assert everything.differences.reason == NO_IMPORT
    assert not everything.trace.values
