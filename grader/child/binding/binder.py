"""The contract's four functions, whatever the candidate called them and however they are built.

`Binding.find(name)` gives a callable with the contract's arguments and returns. What is the
contract's own already is given as it is, at no cost. Everything else is looked for in the
source, style by style, and tried on a small case made here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from types import FunctionType, ModuleType
from typing import Any

from grader.child.binding import (
    absence,
    canonical,
    classes,
    functions,
    layers,
    modules,
    torch_search,
    variables,
    verify,
)
from grader.child.binding.described import Described, Kept, described
from grader.child.binding.flow import Flow, Handle
from grader.child.binding.search import Fit, Search
from grader.child.binding.source import Function, Source
from grader.child.binding.trial import SECONDS, Budget, Watch, limited, small_case
from grader.child.reports import Definition
from grader.source.cells import Parser

CONTRACT = canonical.ARGUMENTS
SIDE = {
    "forward": "numpy", "backward": "numpy", "backward_at_once": "numpy",
    "torch_forward_backward": "torch",
}  # fmt: skip
NUMPY_STYLES = (functions.flows, classes.flows, variables.flows, layers.flows)
"""Where a hand-written network is looked for, in this order."""


@dataclass
class Part:
    """What was found for one part: callables by the contract's names, and words about it."""

    callables: dict[str, Any] = field(default_factory=dict)
    sentence: str = ""
    deviations: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    absent: dict[str, str] = field(default_factory=dict)
    definitions: tuple[Definition, ...] = ()
    flow: Any = None
    fits: bool = False
    """Whether it was seen to run, with a loss and all gradients."""


@dataclass
class Binding:
    """One loaded submission; each part is bound when it is first asked for."""

    module: ModuleType
    files: Mapping[str, bytes]
    names: Mapping[str, str]
    contract: Mapping[str, Any] = field(default_factory=dict)
    """The course's own, as `described` reads it; {} for the canonical one."""
    parser: Parser = field(default_factory=Parser)
    tried: bool = False
    """Whether anything of the candidate's was called to find out."""

    _parts: dict[str, Part] = field(default_factory=dict)
    _source: Source | None = None

    @property
    def source(self) -> Source:
        if self._source is None:
            self._source = Source(self.module, self.files, self.parser)
        return self._source

    def find(self, name: str) -> Any:
        """The callable for one of the contract's names; None when there is none."""
        return self.part(SIDE.get(name, name)).callables.get(name)

    def part(self, which: str) -> Part:
        """ "numpy", "torch", or any other name, which stands for itself."""
        if which not in self._parts:
            own = {"numpy": self._numpy, "torch": self._torch, "verify": self._verify}
            found = own[which] if which in own else lambda: self._plain(which)
            course = described(self.contract, which, self.module)
            self._parts[which] = self._of_course(course, found) if course else found()
        return self._parts[which]

    def _in_time(self) -> AbstractContextManager[Watch]:
        """Where trials are made."""
        self.tried = True
        return limited(self.files, SECONDS)

    def _own(self, name: str) -> Any:
        value: Any = self.module
        for step in self.names.get(name, name).split("."):
            value = getattr(value, step, None)
        return value

    def _plain(self, name: str) -> Part:
        value = self._own(name)
        return Part({} if value is None else {name: value})

    def _is_canonical(self, name: str) -> bool:
        """Whether the module's own function can be called as the contract says."""
        value = self._own(name)
        if not callable(value) or isinstance(value, type):
            return False
        if not canonical.takes_arguments(value, name):
            return False
        if not isinstance(value, FunctionType):
            return True
        node = canonical.own_definition(value, self.files, self.parser)
        function = Function(name, value, node, ()) if node else self.source.function(name, value)
        return canonical.returns_so(function, name)

    # ── as the course describes it ───────────────────────────────────────────

    def _of_course(self, course: Described, found: Callable[[], Part]) -> Part:
        """A part as the course's contract has it, if it runs so; else as it is `found`.

        Where neither fits, the contract's calls are made all the same: their failure is the
        submission's own.
        """
        lacking = course.lacking
        why = f"there is no {' and no '.join(f'`{n}`' for n in lacking)}" if lacking else ""
        if not why:
            with self._in_time() as watch:
                why = course.unfit()
            why = absence.TOO_LONG if watch.ended else why
        if not why:
            return _as_described(course)
        other = found()
        if other.fits or lacking:
            said = f"not as the course's contract has it: {why}"
            absent = {n: f"{why}; {t}" for n, t in other.absent.items()}
            return replace(other, deviations=(said, *other.deviations), absent=absent)
        return _as_described(course)

    # ── the hand-written part ────────────────────────────────────────────────

    def _numpy(self) -> Part:
        own = {n: self._own(n) for n in ("forward", "backward")}
        if all(self._is_canonical(n) for n in own):
            return Part(own, fits=True)
        fixed = {n: self.names.get(n, n) for n, v in own.items() if isinstance(v, FunctionType)}
        fixed |= {n: self.names[n] for n in own if n in self.names and n not in fixed}
        search = Search(small_case(), Budget())
        exact = set(fixed) == {"forward", "backward"}
        with self._in_time() as watch:
            for style in NUMPY_STYLES:
                if search.best is not None and (exact or style is layers.flows):
                    break  # layers alone are an answer where nothing puts them together
                candidates = style(self.source, torch=False, fixed=fixed)
                search.look(candidates, for_rivals=not fixed)
        part = self._of(search, exact=bool(fixed), ended=watch.ended)
        for name, value in own.items():  # as it is, so that its failure is its own
            if callable(value) and not isinstance(value, type):
                part.callables.setdefault(name, value)
        return part

    def _of(self, search: Search, *, exact: bool, ended: bool) -> Part:
        best = search.best
        if best is not None and search.rivals and not exact:
            return _ambiguous(best, search.rivals)
        if best is not None:
            return replace(_callable(best.flow, {}, search), fits=all(best.quality))
        absent = absence.of_the_hand_written(self.source, search.why, ended=ended)
        if search.half is None:
            return Part(absent=absent)
        half = replace(_callable(search.half, absent, search), deviations=())
        if search.half_lacks:  # to call it would only raise an error of ours
            half.callables = {"forward": half.callables["forward"]}
        return half

    # ── the PyTorch part, and the verification ───────────────────────────────

    def _torch(self) -> Part:
        name = "torch_forward_backward"
        own = self._own(name)
        if self._is_canonical(name):
            return Part({name: own}, fits=True)
        wanted = self.names.get(name, name if own is not None else "")
        search = torch_search.TorchSearch()
        with self._in_time() as watch:
            search.look(modules.candidates(self.source, wanted), for_rivals=not wanted)
        if watch.ended:
            search.why = absence.TOO_LONG
        found = search.bound(self.source)
        part = Part(sentence=found.sentence, absent=found.absent)
        if found.call is not None:
            said = (found.sentence, found.deviations, found.alternatives)
            part = Part({name: found.call}, *said, fits=found.fits)
        elif callable(own) and not isinstance(own, type):
            part.callables[name] = own
        return part

    def _verify(self) -> Part:
        own = self._own("verify")
        if self._is_canonical("verify"):
            return Part({"verify": own})
        found = verify.bind(self.source, self.names.get("verify", ""), self.part)
        if found is None:
            return Part({"verify": own} if callable(own) else {})
        function, call = found
        self.tried = True
        definition = Definition("verify", function.line, function.stub)
        sentence = f"verification: {function.heading}"
        return Part({"verify": call}, sentence, definitions=(definition,))

    # ── about what was bound ─────────────────────────────────────────────────

    @property
    def at_once(self) -> bool:
        """Whether all of the hand-written part runs in one of the contract's two calls.

        In `forward` where one call gives loss and gradients; also in `backward`, where that
        has to begin anew because it steps the weights.
        """
        flow = self.part("numpy").flow
        return flow is not None and (flow.one_call or flow.replays)

    @property
    def cacheless(self) -> bool:
        """Whether a hand-written part in a style of its own may well keep nothing for backward."""
        return self.part("numpy").flow is not None

    @property
    def lossless(self) -> bool:
        """Whether no function of the hand-written part gives a loss."""
        flow = self.part("numpy").flow
        return flow is not None and not flow.loss

    def shown(self, cache: Any) -> Any:
        """The arrays that a cache holds, without what only the binding needs."""
        flow = self.part("numpy").flow
        return flow.shown(cache) if flow is not None and isinstance(cache, Handle | Kept) else cache

    def absence(self, name: str) -> str:
        """Why there is no such function: what was found in its place; "" for nothing."""
        return self.part(SIDE.get(name, name)).absent.get(name, "")

    def texts(self, *parts: str) -> dict[str, str]:
        """What the load's reply says of the binding: `binding`, `deviations`, …"""
        bound = [self.part(p) for p in parts]
        said = {
            "binding": "; ".join(p.sentence for p in bound if p.sentence),
            "deviations": "\n".join(d for p in bound for d in p.deviations),
            "alternatives": "\n".join(a for p in bound for a in p.alternatives),
        }
        return {name: text for name, text in said.items() if text}


def _as_described(course: Described) -> Part:
    def forward(*arguments: Any) -> Any:
        return course.forward(dict(zip(CONTRACT, arguments, strict=True)))

    def at_once(*arguments: Any) -> Any:
        return course.at_once(dict(zip(CONTRACT, arguments, strict=True)))

    def torch(*arguments: Any) -> Any:
        return course.torch(dict(zip(CONTRACT, arguments, strict=True)))

    callables: dict[str, Callable[..., Any]] = {
        "forward": forward, "backward": course.backward, "backward_at_once": at_once,
        "torch_forward_backward": torch,
    }  # fmt: skip
    return Part(callables, course.sentence, flow=course, fits=True)


def _callable(flow: Flow, absent: dict[str, str], search: Search) -> Part:
    def forward(*arguments: Any) -> Any:
        return flow.forward(dict(zip(CONTRACT, arguments, strict=True)))

    others = tuple(dict.fromkeys(o.flow.sentence for o in search.alike))

    def at_once(*arguments: Any) -> Any:
        return flow.at_once(dict(zip(CONTRACT, arguments, strict=True)))

    callables: dict[str, Callable[..., Any]] = {
        "forward": forward, "backward": flow.backward, "backward_at_once": at_once,
    }  # fmt: skip
    return Part(callables, flow.sentence, flow.deviations, others, absent, flow=flow)


def _ambiguous(best: Fit, rivals: list[Fit]) -> Part:
    sentences = dict.fromkeys(f.flow.sentence for f in (best, *rivals))
    listed = " | ".join(list(sentences)[:4])
    why = (
        f"several answers were found, and they give different numbers: {listed}. "
        "Say in submission.yaml under `names` which one is meant"
    )
    return Part(sentence=f"ambiguous: {listed}", absent={"forward": why, "backward": why})


def bind(
    module: ModuleType,
    files: Mapping[str, bytes],
    names: Mapping[str, str],
    contract: Mapping[str, Any] | None = None,
    parser: Parser | None = None,
) -> Binding:
    """The binding of a loaded submission; its parts are looked for when they are asked for."""
    return Binding(module, files, names, contract or {}, parser or Parser())
