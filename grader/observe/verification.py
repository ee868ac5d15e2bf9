"""How a submission's own verification takes wrong gradients, brought back from a child.

The judge decides how the gradients are spoiled; the child says what `verify` made of it. That
a verification accepts or refuses is the candidate's own word in any case, here as elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from grader.child.verifying.saying import WAYS
from grader.errors import SandboxError
from grader.observe.kept import ask
from grader.observe.observe import Allowance
from grader.observe.sent import sent
from grader.problem import Paper
from grader.records import TENSORS, Ended, Submission
from grader.sandbox.pool import Zygote
from grader.sandbox.session import Child
from grader.source.parsing import source_lines

CASES = ("primes", "square")
"""All trials are made on `primes`; a transposed gradient keeps its shape on `square` only."""

OWN = "its own numbers"
"""The case of a script, which nobody hands any numbers to."""

SECONDS = 4.0
"""The child's whole life; it begins no trial that could outlast `WORKING`."""

WORKING = 3.0
PERCENT = 0.01
"""The error that a verification in float64 must refuse: rounding is 10 000 million times less."""

LADDER = (PERCENT, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 10.0, 100.0, 1e4)
"""Errors among which the largest that passes is sought."""

ENTRY = 0.37
"""Which entry is changed, as a share of the size: neither the first nor the last."""

TEXT_BYTES = 256 * 1024
MAX_REASON = 300
BROKEN_OFF = (Ended.CRASH, Ended.VIOLATION)
"""Ends that a verification brings about itself; a slow machine causes other ones."""

MAX_ROWS = 600


class Kind(StrEnum):
    """How a gradient is spoiled."""

    SCALE = "scale"
    ENTRY = "entry"
    TRANSPOSE = "transpose"
    MASK = "mask"


class Outcome(StrEnum):
    """What the verification made of one spoiled gradient."""

    REFUSED = "refused"
    ACCEPTED = "accepted"
    ABSENT = "absent"  # the gradient never occurs in a run: no error in it can be noticed
    NOT_APPLICABLE = "not applicable"  # a bias has no transpose, or it could not be spoiled


@dataclass(frozen=True, slots=True)
class Spoiled:
    """One trial: how the gradient of `tensor` was spoiled, and how that was taken.

    `amount` is the factor of `scale`. `by` says by what it was refused, one of `saying.WAYS`;
    `file` and `line` where a comparison turned out otherwise ("" and 0: not known).
    """

    case: str
    kind: Kind
    amount: float
    tensor: str
    outcome: Outcome
    by: str = ""
    file: str = ""
    line: int = 0

    @property
    def error(self) -> float:
        """The relative error of a scaled gradient; nan for other kinds."""
        return round(abs(self.amount - 1.0), 12) if self.kind is Kind.SCALE else math.nan

    @property
    def words(self) -> str:
        """What was done, to go after `dW1`."""
        if self.kind is Kind.SCALE:
            return "of the wrong sign" if self.amount == -1.0 else f"times {self.amount:.4g}"
        return {
            Kind.ENTRY: "with one entry changed",
            Kind.TRANSPOSE: "transposed",
            Kind.MASK: "without the ReLU's mask",
        }[self.kind]

    @property
    def gross(self) -> bool:
        """Whether this is more than a small error in the scale."""
        return self.kind is not Kind.SCALE or not 1.0 < self.amount < 2.0

    @property
    def missed(self) -> bool:
        return self.outcome in (Outcome.ACCEPTED, Outcome.ABSENT)


@dataclass(frozen=True)
class Verification:
    """All that was learned of one submission's verification.

    `found` is "function", or "script" where the statements of the file itself verify.
    `accepts` and `accepts_as_is` say whether it accepts a pair that agrees (made to agree
    if need be), and the pair as the submission computes it; None where that is not known.
    `equalised` where the two sides had to be made to agree, `equal` whether that could be
    done; `sides` whether it computes anything at all. `different` are inputs that do not reach
    both sides alike. `places` are (file, line) of: "verdict" (the last return), "refusal"
    (what turned out badly on an equal pair), "different".
    `sources` are the lines by file. `reason` says why there are no trials, "" otherwise;
    `broke_off` whether it ended the process when it was put to the test.
    """

    found: str = ""
    accepts: bool | None = None
    accepts_as_is: bool | None = None
    by_as_is: str = ""
    equalised: bool = False
    equal: bool = True
    sides: bool = True
    trials: tuple[Spoiled, ...] = ()
    different: tuple[str, ...] = ()
    places: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason: str = "not tried"
    broke_off: bool = False

    def of(self, tensor: str) -> list[Spoiled]:
        """The trials of one tensor that say something."""
        known = (Outcome.REFUSED, Outcome.ACCEPTED, Outcome.ABSENT)
        return [t for t in self.trials if t.tensor == tensor and t.outcome in known]

    @property
    def tested(self) -> bool:
        """Whether any spoiled gradient was shown to it, or none could make a difference."""
        return self.idle or any(self.of(tensor) for tensor in TENSORS)

    @property
    def idle(self) -> bool:
        """Whether it says yes without computing anything."""
        return self.found == "function" and self.accepts is True and not self.sides

    @property
    def by_script(self) -> bool:
        """Whether the file's own statements compare: some spoiled gradient made them object."""
        refused = any(t.outcome is Outcome.REFUSED for t in self.trials)
        return self.found == "script" and (refused or self.accepts is False)

    @property
    def overlooked(self) -> tuple[str, ...]:
        """The tensors of which it refused no error at all, however gross."""
        if self.idle:
            return TENSORS
        tried = {t: self.of(t) for t in TENSORS}
        return tuple(t for t, trials in tried.items() if trials and all(s.missed for s in trials))

    def loosest(self, tensor: str) -> float:
        """The largest relative error that passed, below the least that did not; 0 if none."""
        scaled = [t for t in self.of(tensor) if t.kind is Kind.SCALE and t.amount > 1.0]
        refused = min((t.error for t in scaled if not t.missed), default=math.inf)
        return max((t.error for t in scaled if t.missed and t.error < refused), default=0.0)

    def place(self, name: str) -> tuple[str, int]:
        """File and line; "" and 0 where they are not known."""
        return self.places.get(name, ("", 0))


def take_verification(
    submission: Submission,
    paper: Paper,
    zygote: Zygote,
    allowance: Allowance,
    child: Child | None = None,
    *,
    thorough: bool = False,
) -> Verification:
    """Show the submission's verification spoiled gradients, in `child` or one of its own.

    The strictest first, the gross ones only for tensors where those were missed; all of them
    if `thorough`. Whatever goes wrong gives a record without trials, and a reason.
    """
    items = _request(submission, paper) | ({"all": "yes"} if thorough else {})
    try:
        request = ("verify_trials", items, TEXT_BYTES)
        seconds = min(SECONDS, allowance.seconds)
        reply = ask(child, zygote, allowance.limits, request, seconds)
    except SandboxError as error:
        return Verification(reason=str(error)[:MAX_REASON])
    if reply.ended is not Ended.OK:
        why = reply.items.get("error") or reply.detail
        reason = f"{reply.ended}: {why}"[:MAX_REASON]
        return Verification(reason=reason, broke_off=reply.ended in BROKEN_OFF)
    return read_verification(reply.items, submission)


def _request(submission: Submission, paper: Paper) -> dict[str, Any]:
    items = sent(submission, "torch", paper.noise)
    for index, case in enumerate(CASES):
        items |= {f"{name}{index}": array for name, array in paper.cases[case].inputs.items()}
    batch = paper.cases[CASES[0]].sizes["B"]
    first = ((Kind.SCALE, 1 + PERCENT), (Kind.ENTRY, ENTRY), (Kind.SCALE, -1.0))
    items["plan0"] = "\n".join(f"{kind} {amount}" for kind, amount in first)
    items["plan1"] = f"{Kind.TRANSPOSE} 0"
    gross = [f"{Kind.SCALE} {factor}" for factor in (2.0, 1.0 / batch)]
    items["more"] = "\n".join([*gross, f"{Kind.MASK} 0"])
    items["ladder"] = " ".join(map(str, LADDER))
    return items | {"seconds": str(WORKING), "max_bytes": str(TEXT_BYTES)}


# ── reading what the child said ──────────────────────────────────────────────


def read_verification(items: Mapping[str, Any], submission: Submission) -> Verification:
    """The record in a reply; rows that are none are passed over."""
    rows = items.get("rows", "")
    said = items.get("stopped", "")
    lines = rows.split("\n")[:MAX_ROWS] if isinstance(rows, str) else []
    reader = _Reader([line.split("\t") for line in lines], submission)
    reason = said[:MAX_REASON] if isinstance(said, str) else "no words came"
    return reader.record(reason)


class _Reader:
    """Turns rows of words into a record; what does not fit is not there."""

    def __init__(self, rows: Sequence[Sequence[str]], submission: Submission) -> None:
        self.rows = rows
        self.sources = {f.path: source_lines(f.data) for f in submission.files}

    def record(self, reason: str) -> Verification:
        different = next(self._all("different", 3), None)
        tensors = set(different[0].split(",")) if different else set()
        places = {row[0]: self._place(row[1:]) for row in self._all("place", 3)}
        if different:
            places["different"] = self._place(different[1:])
        known = {"accepted": True, "refused": False}
        raw = self._first("raw", 2)
        return Verification(
            found=found if (found := self._first("found", 1)[0]) in ("function", "script") else "",
            accepts=known.get(self._first("base", 1)[0]),
            accepts_as_is=known.get(raw[0]),
            by_as_is=raw[1] if raw[1] in WAYS else "",
            equalised=self._first("equalised", 2)[0] == "1",
            equal=self._first("equalised", 2)[1] != "0",
            sides=self._first("sides", 1)[0] != "0",
            trials=tuple(self._trials()),
            different=tuple(t for t in TENSORS if t in tensors),
            places={name: place for name, place in places.items() if place[1]},
            sources=self.sources,
            reason=reason,
        )

    def _all(self, name: str, count: int) -> Iterator[Sequence[str]]:
        return (row[1:] for row in self.rows if row[0] == name and len(row) == count + 1)

    def _first(self, name: str, count: int) -> Sequence[str]:
        return next(self._all(name, count), [""] * count)

    def _place(self, words: Sequence[str]) -> tuple[str, int]:
        """(file, line), if the submission has such a line."""
        file, text = words
        line = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
        return (file, line) if 0 < line <= len(self.sources.get(file, ())) else ("", 0)

    def _trials(self) -> Iterator[Spoiled]:
        outcomes = {"accepted": Outcome.ACCEPTED, "absent": Outcome.ABSENT}
        others = ("inapplicable", "unapplied")
        for case, kind, amount, tensor, said, *place in self._all("trial", 7):
            fits = case in ("0", "1", "2") and kind in tuple(Kind) and tensor in TENSORS
            number = _number(amount)
            if not fits or number is None or said not in (*outcomes, *others, *WAYS):
                continue
            outcome = outcomes.get(said, Outcome.REFUSED)
            if said in others:
                outcome = Outcome.NOT_APPLICABLE
            by = said if outcome is Outcome.REFUSED else ""
            name = (*CASES, OWN)[int(case)]
            yield Spoiled(name, Kind(kind), number, tensor, outcome, by, *self._place(place))


def _number(text: str) -> float | None:
    try:
        value = float(text[:40])
    except ValueError:
        return None
    return value if math.isfinite(value) else None
