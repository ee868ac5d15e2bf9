"""The sentences by which a report says why a mistake is charged."""

from __future__ import annotations

from collections.abc import Mapping

from grader.records import OwnVerdict, Part

NOT_DONE = "{} is not there, does not run, or was not derived"
TITLES: Mapping[Part, str] = {
    Part.FORWARD: "the forward pass",
    Part.BACKWARD: "the backward pass",
    Part.PYTORCH: "the PyTorch part",
}

WRONG: Mapping[Part, str] = {
    Part.FORWARD: "The loss is wrong",
    Part.BACKWARD: "Gradients are wrong",
    Part.PYTORCH: "The PyTorch part gives wrong numbers",
}

NOT_RUN: Mapping[Part, str] = {
    Part.FORWARD: "The forward pass does not run",
    Part.BACKWARD: "The backward pass does not run",
    Part.PYTORCH: "The PyTorch part does not run",
    Part.VERIFICATION: "Its verification does not pass",
}

OWN_CHECK: Mapping[OwnVerdict, str] = {
    OwnVerdict.DIFFERS: "Its own check reports a mismatch, and it was handed in like this",
    OwnVerdict.RAISES: "Its own check raises, and it was handed in like this",
}
