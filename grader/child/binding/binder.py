"""The contract's four functions, whatever the candidate called them and however they are built.

`Binding.find(name)` gives a callable with the contract's arguments and returns. What is the
contract's own already is given as it is, at no cost. Everything else is looked for in the
source, style by style, and tried on a small case made here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from types import FunctionType, ModuleType
from typing import Any

from grader.child.binding import absence, canonical, styles, verify
from grader.child.binding.environment import CONTAINER, Environment
from grader.child.binding.language import places
from grader.child.binding.language.adapter import Adapter, RunState, course_adapter
from grader.child.binding.language.containers import WeightForm
from grader.child.binding.search import NUMPY, TORCH, AdapterSearch, Fit, answer_of
from grader.child.binding.source import OBJECT, Callee, Source
from grader.child.binding.trial import RAISED, SECONDS, Watch, limited, small_case
from grader.child.binding.writer import Draft, brief
from grader.child.definitions import Weave, plain_code
from grader.child.reports import AttemptReport, DefinitionReport
from grader.source.cells import Parser

CONTRACT = canonical.ARGUMENTS
SIDE = {
    "forward": "numpy", "backward": "numpy", "backward_at_once": "numpy",
    "torch_forward_backward": "torch",
}  # fmt: skip
TITLE = 200
"""Characters of a contract's title."""

NOT_RIGHT = "the loss changes with the numbers of the classes, or a gradient has another shape"


@dataclass
class BoundPart:
    """What was found for one part: callables by the contract's names, and words about it."""

    callables: dict[str, Any] = field(default_factory=dict)
    sentence: str = ""
    deviations: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    absent: dict[str, str] = field(default_factory=dict)
    definitions: tuple[DefinitionReport, ...] = ()
    adapter: Adapter | None = None
    container: WeightForm | None = None
    attempt: AttemptReport | None = None
    """How far the search came, where it found no way, or several."""
    fits: bool = False
    """Whether it was seen to run, with a loss and all gradients."""


@dataclass
class Binding:
    """One loaded submission; each part is bound when it is first asked for."""

    module: ModuleType
    files: Mapping[str, bytes]
    names: Mapping[str, str]
    contract: Mapping[str, Any] = field(default_factory=dict)
    """The course's own, as `course_adapter` reads it; {} for the canonical one."""
    parser: Parser = field(default_factory=Parser)
    weave: Weave = plain_code
    tried: bool = False
    """Whether anything of the candidate's was called to find out."""

    _parts: dict[str, BoundPart] = field(default_factory=dict)
    _source: Source | None = None

    @property
    def source(self) -> Source:
        if self._source is None:
            self._source = Source(self.module, self.files, self.parser, self.weave)
        return self._source

    def find(self, name: str) -> Any:
        """Return the callable for one of the contract's names; None when there is none."""
        return self.part(SIDE.get(name, name)).callables.get(name)

    def part(self, which: str) -> BoundPart:
        """ "numpy", "torch", or any other name, which stands for itself."""
        if which not in self._parts:
            own = {"numpy": self._numpy, "torch": self._torch, "verify": self._verify}
            found = own[which] if which in own else lambda: self._plain(which)
            course = course_adapter(self.contract, which, self.module)
            self._parts[which] = self._of_course(course, found) if course else found()
        return self._parts[which]

    def _in_time(self) -> AbstractContextManager[Watch]:
        """Return where trials are made."""
        self.tried = True
        return limited(self.files, SECONDS)

    def _own(self, name: str) -> Any:
        value: Any = self.module
        for step in self.names.get(name, name).split("."):
            value = getattr(value, step, None)
        return value

    def _plain(self, name: str) -> BoundPart:
        value = self._own(name)
        return BoundPart({} if value is None else {name: value})

    def _is_canonical(self, name: str) -> bool:
        """Tell whether the module's own function can be called as the contract says."""
        value = self._own(name)
        if not callable(value) or isinstance(value, type):
            return False
        if not canonical.takes_arguments(value, name):
            return False
        if not isinstance(value, FunctionType):
            return True
        node = canonical.own_definition(value, self.files, self.parser)
        function = Callee(name, value, node, ()) if node else self.source.function(name, value)
        return canonical.returns_so(function, name)

    # ── as the course describes it ───────────────────────────────────────────

    def _of_course(self, course: Adapter, found: Callable[[], BoundPart]) -> BoundPart:
        """Return a part as the course's contract has it, if it runs so; else as it is `found`.

        Where neither fits, the contract's calls are made all the same: their failure is the
        submission's own.
        """
        lacking = course.lacking
        why = f"there is no {' and no '.join(f'`{n}`' for n in lacking)}" if lacking else ""
        if not why:
            with self._in_time() as watch:
                why = _unfit(course)
            why = absence.TOO_LONG if watch.ended else why
        part = _callable(course, f"as the course's contract has it: {'; '.join(course.lines)}")
        if not why:
            return part
        other = found()
        if other.fits or lacking:
            said = f"not as the course's contract has it: {why}"
            absent = {n: f"{why}; {t}" for n, t in other.absent.items()}
            return replace(other, deviations=(said, *other.deviations), absent=absent)
        return part

    # ── as the search finds it ───────────────────────────────────────────────

    def _numpy(self) -> BoundPart:
        own = {n: self._own(n) for n in ("forward", "backward")}
        if all(self._is_canonical(n) for n in own):
            return BoundPart(own, fits=True)
        fixed = {n: self.names.get(n, n) for n, v in own.items() if isinstance(v, FunctionType)}
        fixed |= {n: self.names[n] for n in own if n in self.names and n not in fixed}
        exact = set(fixed) == {"forward", "backward"}
        search = AdapterSearch(self.module, NUMPY)
        with self._in_time() as watch:
            for drafts in (*styles.NUMPY, *styles.LOOSE):
                if search.best is not None and (exact or drafts in styles.LOOSE):
                    break  # layers alone are an answer where nothing puts them together
                search.look(drafts(self.source, fixed), for_rivals=not fixed)
        part = self._found(search, exact=bool(fixed), ended=watch.ended)
        for name, value in own.items():  # as it is, so that its failure is its own
            if callable(value) and not isinstance(value, type):
                part.callables.setdefault(name, value)
        return part

    def _torch(self) -> BoundPart:
        name = "torch_forward_backward"
        own = self._own(name)
        if self._is_canonical(name):
            return BoundPart({name: own}, fits=True)
        fixed = {name: n} if (n := self.names.get(name, name if own is not None else "")) else {}
        search = AdapterSearch(self.module, TORCH)
        with self._in_time() as watch:
            here = places.torch_here() is not None
            for drafts in (*styles.TORCH, *styles.LOOSE_TORCH) if here else ():
                if search.best is not None and drafts in styles.LOOSE_TORCH:
                    break
                search.look(drafts(self.source, fixed), for_rivals=not fixed)
        part = self._found(search, exact=False, ended=watch.ended)
        if search.best is None and callable(own) and not isinstance(own, type):
            part.callables[name] = own
        return part

    def _found(self, search: AdapterSearch, *, exact: bool, ended: bool) -> BoundPart:
        """Return what a search found; where nothing fits, a half of it, or why there is none."""
        best = search.best
        if best is not None and search.rivals and not exact:
            return _ambiguous(best, search.rivals)
        if best is not None:
            others = dict.fromkeys(o.draft.sentence for o in search.alike)
            part = _bound(best.draft, best.adapter)
            fits = all(best.quality[:3] if best.draft.torch else best.quality)
            return replace(part, alternatives=tuple(others), fits=fits)
        torch = search.side is TORCH
        look = absence.of_the_pytorch if torch else absence.of_the_hand_written
        absent = look(self.source, search.why, ended=ended)
        attempt = search.attempt(self.files, ended=ended)
        if search.half is None or torch:
            return BoundPart(absent=absent, attempt=attempt)
        half = replace(_bound(*search.half), absent=absent, deviations=(), attempt=attempt)
        if search.half_lacks:  # to call it would only raise an error of ours
            half.callables = {"forward": half.callables["forward"]}
        return half

    def _verify(self) -> BoundPart:
        own = self._own("verify")
        if self._is_canonical("verify"):
            return BoundPart({"verify": own})
        name, space = self.names.get("verify", ""), lambda inputs: self.environment(inputs)[0]
        found = verify.bind(self.source, name, self.part, space)
        if found is None:
            return BoundPart({"verify": own} if callable(own) else {})
        function, call = found
        self.tried = True
        definition = DefinitionReport("verify", function.line, function.stub)
        sentence = f"verification: {function.heading}"
        return BoundPart({"verify": call}, sentence, definitions=(definition,))

    # ── about what was bound ─────────────────────────────────────────────────

    @property
    def _adapter(self) -> Adapter | None:
        return self.part("numpy").adapter

    @property
    def at_once(self) -> bool:
        """Tell whether all of the hand-written part runs in one of the contract's two calls.

        In `forward` where one call gives loss and gradients; also in `backward`, where that
        has to begin anew because it steps the weights.
        """
        adapter = self._adapter
        return adapter is not None and (adapter.one_call or adapter.fresh)

    @property
    def cacheless(self) -> bool:
        """Tell whether a hand-written part in its own style may well keep nothing for backward."""
        return self._adapter is not None

    @property
    def straight(self) -> bool:
        """Tell whether the hand-written part is statements: what they keep, nobody chose."""
        return self._adapter is not None and styles.script.SCRIPT in self._adapter.names

    @property
    def lossless(self) -> bool:
        """Tell whether no function of the hand-written part gives a loss."""
        return self._adapter is not None and not self._adapter.loss

    def shown(self, cache: Any) -> Any:
        """Return the arrays that a cache holds, without what only the binding needs."""
        adapter = self._adapter
        return adapter.shown(cache) if adapter and isinstance(cache, RunState) else cache

    def environment(self, inputs: Mapping[str, Any]) -> tuple[Environment, Any]:
        """Return what other functions can be given, and the object that holds the weights."""
        adapter = self._adapter
        if adapter is None:
            return Environment.of(inputs, self.module), None
        space = adapter.begin(inputs)
        made = any(line.startswith(f"{OBJECT} = ") for line in adapter.make)
        return Environment(space, CONTAINER in space), space[OBJECT] if made else None

    def absence(self, name: str) -> str:
        """Why there is no such function: what was found in its place; "" for nothing."""
        return self.part(SIDE.get(name, name)).absent.get(name, "")

    def contract_text(self, *parts: str) -> str:
        """Return how these parts are called, as JSON that a rubric takes; "" where none can be."""
        bound = {name: self.part(name) for name in parts}
        fits = {n: p.adapter for n, p in bound.items() if p.adapter and p.fits}
        told = {n: a.contract(n) for n, a in fits.items() if not a.names}
        title = "; ".join(p.sentence for p in bound.values() if p.sentence)[:TITLE]
        return json.dumps({"contract": {"title": title, **told}}, indent=2) if told else ""


def _callable(adapter: Adapter, sentence: str) -> BoundPart:
    """Return the contract's functions, made of an adapter."""

    def named(call: Callable[[dict[str, Any]], Any]) -> Callable[..., Any]:
        return lambda *arguments: call(dict(zip(CONTRACT, arguments, strict=True)))

    callables: dict[str, Callable[..., Any]] = {
        "forward": named(adapter.forward), "backward": adapter.backward,
        "backward_at_once": named(adapter.at_once), "torch_forward_backward": named(adapter.torch),
    }  # fmt: skip
    return BoundPart(callables, sentence, adapter=adapter, fits=True)


def _bound(draft: Draft, adapter: Adapter) -> BoundPart:
    """Return the part that a search found."""
    part = _callable(adapter, draft.sentence)
    deviations = draft.deviations(adapter)
    return replace(part, deviations=deviations, container=draft.container, fits=False)


def _ambiguous(best: Fit, rivals: list[Fit]) -> BoundPart:
    sentences = dict.fromkeys(f.draft.sentence for f in (best, *rivals))
    listed = " | ".join(list(sentences)[:4])
    why = (
        f"several answers were found, and they give different numbers: {listed}. "
        "Say in submission.yaml under `names` which one is meant"
    )
    names = ("torch_forward_backward",) if best.draft.torch else ("forward", "backward")
    return BoundPart(sentence=f"ambiguous: {listed}", absent=dict.fromkeys(names, why))


def _unfit(course: Adapter) -> str:
    """Why an adapter does not run on the small case, or gives nothing of use; "" if it does."""
    try:
        answer = answer_of(course, small_case())
    except RAISED as error:
        return brief(error)
    missing = [name for name in ("W1", "b1", "W2", "b2") if name not in answer.numbers]
    if missing:
        return f"no gradient of {', '.join(missing)} arrives"
    return "" if answer.steady and answer.alike else NOT_RIGHT


def bind(
    module: ModuleType,
    files: Mapping[str, bytes],
    names: Mapping[str, str],
    contract: Mapping[str, Any] | None = None,
    parser: Parser | None = None,
    weave: Weave = plain_code,
) -> Binding:
    """Return a loaded submission's binding; its parts are looked for when they are asked for."""
    return Binding(module, files, names, contract or {}, parser or Parser(), weave)
