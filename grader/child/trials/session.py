"""One set of inputs: a run on a pair that agrees, and runs with one gradient made wrong.

Child's side. What is the same for every check is here: where gradients arise, how a pair is
made to agree, and how one is made wrong. A kind of session says which runs belong together
and how a response refuses.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from grader.child.binding.canonical import ARGUMENTS
from grader.child.reports import NOWHERE, Corruption, CorruptionKind, Place, Refusal, TrialOutcome
from grader.child.trials.corruption import corrupted, without_mask
from grader.child.trials.response import Response, flipped
from grader.child.trials.spoiler import Array, Known, Run, first, known
from grader.child.trials.subject import Check, Sides, Subject


@dataclass(frozen=True)
class Origin:
    """The place where a gradient first stands, and what stands there."""

    number: int
    was: Known


class Session(ABC):
    """One set of inputs; `check` is None for a script, `arguments` where it has its own numbers.

    `first` is the run as it is, and `raw` what was said in it. `unequal` are the gradients that
    are replaced so that the two sides agree, by what; `base` is the response to a pair that
    agrees, `equal` whether it could be made to.
    """

    base: Response
    raw: Response
    first: Run

    def __init__(
        self, subject: Subject, check: Check | None, arguments: list[Array] | None
    ) -> None:
        self.subject, self.check, self.arguments = subject, check, arguments
        self.inputs = dict(zip(ARGUMENTS, arguments or (), strict=False))
        self.sides = Sides()
        self.origins: dict[str, list[Origin]] = {}
        self.unequal: dict[str, Array] = {}
        self.loss: tuple[float, float] | None = None
        self.equal = True
        self._masked: dict[str, Array] | None = None

    def attempt(self, run: Run) -> Response:
        """Run the check once."""
        return self.subject.attempt(self.check, run, self.arguments)

    def watching(self) -> Run:
        """Return a run that looks out for the gradients of both sides."""
        run = Run(learning=True)
        run.watch("hand", self.sides.hand)
        run.watch("auto", self.sides.auto)
        return run

    def origins_of(self, tensor: str) -> list[Origin]:
        """Return where the gradient arises by hand, then where autograd gives it."""
        sides, sights = self.sides, self.first.sights
        only_hand = sides.hand_places - sides.auto_places
        only_auto = sides.auto_places - sides.hand_places
        by_hand = [s for s in sights.get(("hand", tensor), {}).values() if not s.is_tensor]
        mine = (
            first(s for s in by_hand if s.number in only_hand)
            or first(s for s in by_hand if s.number not in only_auto)
            or first(by_hand)
        )
        by_auto = list(sights.get(("auto", tensor), {}).values())
        theirs = first(s for s in by_auto if s.is_tensor) or first(
            s for s in by_auto if s.number in only_auto
        )
        origins = [Origin(mine.number, known("hand", tensor, sides.hand[tensor]))] if mine else []
        if theirs and theirs != mine:
            origins.append(Origin(theirs.number, known("auto", tensor, sides.auto[tensor])))
        return origins

    # ── a pair that agrees ───────────────────────────────────────────────────

    @property
    def equalised(self) -> bool:
        """Return whether the two sides had to be made to agree."""
        return bool(self.unequal) or self.loss is not None

    def equalise(self) -> None:
        """Set `base`: the first response, or that of a run in which both sides agree."""
        self.base = self.raw
        if self.equalised:
            run = self.agreeing_run()
            self.base = self.attempt(run)
            self.equal = self.unequal.keys() <= run.swapped

    def agreeing_run(self, *, without: str = "") -> Run:
        """Return a run in which both sides agree, but for the tensor `without`."""
        run = Run(loss=self.loss)
        for tensor, value in self.unequal.items():
            origin = next((o for o in self.origins[tensor] if self.is_replaceable(o)), None)
            if tensor != without and origin is not None:
                run.swap(origin.number, origin.was, value)
        return run

    def is_replaceable(self, origin: Origin) -> bool:
        """Return whether sides are made to agree at this origin."""
        return origin.was.role == "hand"

    # ── a wrong gradient ─────────────────────────────────────────────────────

    def tried(
        self, tensor: str, corruption: Corruption
    ) -> tuple[TrialOutcome, Refusal | None, Response | None]:
        """Return what is made of one wrong gradient, how it is refused, and the response.

        It is refused where each group of origins that belong together is, each by itself.
        """
        if not self.origins[tensor]:
            absent = self.is_absent(tensor)
            return TrialOutcome.ABSENT if absent else TrialOutcome.NOT_APPLICABLE, None, None
        found: tuple[TrialOutcome, Refusal | None, Response | None]
        found = TrialOutcome.NOT_APPLICABLE, None, None
        for run in self._wrong_runs(tensor, self.adapted(tensor, corruption)):
            answer = self.attempt(run)
            if tensor not in run.swapped:
                continue
            by = self.refusal(answer, corruption)
            if by is None:
                return TrialOutcome.ACCEPTED, None, answer
            if found[1] is None:
                found = TrialOutcome.REFUSED, by, answer
        return found

    def _wrong_runs(self, tensor: str, corruption: Corruption) -> Iterator[Run]:
        """Yield a run for each group of origins that are made wrong together."""
        for group in self.groups(tensor):
            first_too = self.origins[tensor][0] in group
            run = self.agreeing_run(without=tensor if first_too else "")
            for origin in group:
                value = self.unequal.get(tensor, origin.was.array)
                wrong = corrupted(value, corruption, self._mask(tensor, corruption))
                if wrong is None:
                    break
                run.swap(origin.number, origin.was, wrong)
            else:
                run.only = frozenset(self.base.truths)
                yield run

    def _mask(self, tensor: str, corruption: Corruption) -> Array | None:
        kind_fits = corruption.kind is CorruptionKind.MASK
        if not kind_fits or not all(name in self.inputs for name in ARGUMENTS):
            return None
        if self._masked is None:
            self._masked = without_mask(self.inputs, self.sides.auto or self.sides.hand)
        return self._masked.get(tensor)

    def place(self, response: Response) -> Place:
        """Return where a comparison turned out otherwise than in `base`, or where it raised."""
        number = flipped(self.base, response)
        if number is not None:
            return self.subject.place(number)
        return response.place if response.raised - self.base.raised else NOWHERE

    # ── what a kind of session says ──────────────────────────────────────────

    @abstractmethod
    def groups(self, tensor: str) -> list[list[Origin]]:
        """Return the origins of a tensor, grouped by those that are made wrong together."""

    @abstractmethod
    def refusal(self, response: Response, corruption: Corruption) -> Refusal | None:
        """Return how a response to a wrong gradient refuses it; None if it accepts."""

    @abstractmethod
    def is_absent(self, tensor: str) -> bool:
        """Return whether a gradient without origin is one that the check does not look at."""

    def adapted(self, tensor: str, corruption: Corruption) -> Corruption:
        """Return the corruption as it can be noticed by this check."""
        return corruption


def objects(session: Session, response: Response) -> bool:
    """Return whether a run says no by itself; a script prints all sorts of things."""
    return response.refuses if session.check is None else response.objects
