"""Calls the contract's functions inside a child, as the judge asks (child's side).

Preloaded by the zygotes. It lives in the submission's process and so proves
nothing by itself: it hands arrays in and arrays out. Every call gets fresh
copies, so that a submission that changes its arguments harms only itself.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Container
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from grader.child import (
    binding,
    coerce,
    engine,
    harness,
    layers,
    loading,
    standin,
    tracing,
    trials,
    versions,
)
from grader.child.binding.canonical import ARGUMENTS
from grader.child.binding.kit import Kit
from grader.child.definitions import Weave, plain_code
from grader.child.reports import (
    CallReport,
    DefinitionReport,
    HarnessReport,
    LoadReport,
    TraceReport,
    to_json,
    type_name,
)
from grader.child.seeding import reseed, run_eagerly
from grader.sandbox import child
from grader.source import cells

MESSAGE_CHARS = 2000
"""Of a bad return's message; it may quote keys as long as the candidate likes."""

CONTRACT = ("forward", "backward", "torch_forward_backward", "verify", "gradient_check")
HARNESS_FILES = (*map(str, Path(__file__).parent.rglob("*.py")), *binding.FILES, child.__file__)
"""Hidden from tracebacks: a candidate is shown the candidate's own lines."""


class Driver:
    """One submission's module and the caches of its forwards.

    What loads the submission (`load`, `trace`, the trials) loads it anew, as if for the
    first time: nothing that an earlier load left behind is found by the next.
    """

    def __init__(self) -> None:
        self.finders = list(sys.meta_path)
        self.newest = next(reversed(sys.modules))
        self.module: ModuleType | None = None
        self.names: dict[str, str] = {}
        self.contract: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        self.parser = cells.Parser()
        self.woven: tracing.Woven = {}
        self.weave: Weave = plain_code
        self.bound: binding.Binding | None = None
        self.kit: Kit | None = None
        self.caches: dict[str, Any] = {}
        self.noise = 0
        self.own = harness.objects()
        self.switch = standin.Switch()
        self.numpy_side = True

    def handle(self, kind: str, items: dict[str, Any]) -> dict[str, Any]:
        """Answer `load`, a call of a part, `layers`, `trace`, `trial`, or a kind of trials."""
        answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "load": self.load,
            "forward": self.forward,
            "backward": self.backward,
            "torch": self.torch,
            "verify": self.verify,
            "trace": self.trace,
            "layers": partial(layers.examine, self),
            "trial": partial(versions.examine, self),
            "verify_trials": partial(trials.examine, trials.VerificationExamination, self),
            "blind_trials": partial(trials.examine, trials.BlindExamination, self),
            "harness": self.harness,
            "step_trials": partial(trials.examine, trials.DifferenceExamination, self),
        }
        self.switch.used.clear()  # an earlier call may have swallowed what it raised
        try:
            return _within(answers[kind](items), int(items["max_bytes"]))
        except Missing as missing:
            return self._missing(missing.name)
        except coerce.BadReturn as error:
            return {"ended": "bad-return", "error": str(error)[:MESSAGE_CHARS]}
        except BaseException as error:
            return self.raised(error)

    def raised(self, error: BaseException) -> dict[str, Any]:
        """Return what is answered where the candidate's code raised."""
        ended = "framework" if self.switch.used else "raised"
        short = isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
        if short or isinstance(error, MemoryError):  # the former is torch's own word for it
            ended = "memory-limit"
        return {"ended": ended, **self._describe(error)}

    def _describe(self, error: BaseException) -> dict[str, Any]:
        return child.describe(error, hidden=HARNESS_FILES)

    def load(self, items: dict[str, Any]) -> dict[str, Any]:
        """Import the submission; report its functions, and what was left out."""
        files, main = self.prepare(items), items["main"]
        loading.remember_lines(files[main], main)
        functions = loading.outline(self.parser.tree(files[main], main))
        self.module, notes = loading.load(files, main)
        self.switch.armed = self.numpy_side
        known = {function.name for function in functions}
        functions += [
            DefinitionReport(n, 0, is_stub=False)
            for n in CONTRACT
            if n not in known and hasattr(self.module, self.names.get(n, n))
        ]
        bound = self.bind()
        sides = ("numpy",) if self.numpy_side else ("torch", "verify")
        parts = [bound.part(side) for side in sides]
        if bound.tried:  # the trials drew from the generators
            reseed(self.noise)
        functions += [d for part in parts for d in part.definitions if d.name not in known]
        report = LoadReport(
            tuple(functions),
            tuple(notes),
            tuple(self.switch.stood_in),
            binding="; ".join(part.sentence for part in parts if part.sentence),
            deviations=tuple(d for part in parts for d in part.deviations),
            alternatives=tuple(a for part in parts for a in part.alternatives),
            contract=bound.contract_text(*sides),
            attempts=tuple(part.attempt for part in parts if part.attempt is not None),
        )
        return {"report": to_json(report)}

    def harness(self, _items: dict[str, Any]) -> dict[str, Any]:
        """Return what of our own code is not what it was before a submission was loaded."""
        return {"report": to_json(HarnessReport(harness.changed(self.own)))}

    def prepare(self, items: dict[str, Any]) -> dict[str, bytes]:
        """Set up what a submission finds when it is imported; gives its files."""
        if self.files:
            self._forget()
        self.numpy_side = items["side"] == "numpy"
        self.names, self.noise = json.loads(items["names"]), int(items["noise"])
        self.contract = json.loads(items.get("contract") or "{}")
        reseed(self.noise)
        run_eagerly()
        sys.meta_path.append(standin.StandInFinder(self.switch))
        self.files = {items[f"path{i}"]: items[f"data{i}"] for i in range(int(items["files"]))}
        return dict(self.files)

    def _forget(self) -> None:
        """Undo an earlier load: its modules, the stand-ins for others, and what it was asked."""
        sys.meta_path[:] = self.finders
        for name in self.later_modules():
            if _is_loaded_from(sys.modules[name], self.files):
                del sys.modules[name]
        self.module, self.bound, self.kit, self.weave = None, None, None, plain_code
        self.caches.clear()
        self.switch = standin.Switch()

    def later_modules(self) -> list[str]:
        """Return what was imported since the start; to look at all of torch takes 10 ms."""
        later = itertools.takewhile(lambda name: name != self.newest, reversed(sys.modules))
        return list(later)

    def bind(self) -> binding.Binding:
        """Return how the loaded module's code is called as the contract's; found once a module."""
        assert self.module is not None
        if self.bound is None or self.bound.module is not self.module:
            self.bound = binding.bind(
                self.module, self.files, self.names, self.contract, self.parser, self.weave
            )
        return self.bound

    def function(self, name: str) -> Any:
        """Return the callable for one of the contract's names, None when there is none."""
        if self.module is None:
            return None
        bound = self.bind()
        tried = bound.tried
        function = bound.find(name)
        if bound.tried and not tried:  # the trials drew from the generators
            reseed(self.noise)
            self.switch.used.clear()
        return function

    def _missing(self, name: str) -> dict[str, Any]:
        """Return the answer where there is no such function, with what was found in its place."""
        why = self.bind().absence(name) if self.module is not None else ""
        return {"ended": "missing", **({"error": why[:MESSAGE_CHARS]} if why else {})}

    def call(self, name: str, *arguments: Any) -> Any:
        """Call one of the contract's functions. Raises `Missing`."""
        return self.required(name)(*arguments)

    def required(self, name: str) -> Callable[..., Any]:
        """Return the callable for one of the contract's names. Raises `Missing`."""
        function: Callable[..., Any] | None = self.function(name)
        if not callable(function):
            raise Missing(name)
        return function

    def forward(self, items: dict[str, Any]) -> dict[str, Any]:
        """Return `loss`; with `want_cache` the cache's arrays, with `want_inputs` the arguments."""
        arguments = [items[name].copy() for name in ARGUMENTS]
        loss, cache = coerce.pair(self.call("forward", *arguments), "loss, cache")
        self.caches[items["handle"]] = cache
        answer: dict[str, Any] = {"loss": coerce.as_array(loss, "the loss")}
        report = CallReport(type_name(loss), lossless=self.bind().lossless)
        if "want_cache" in items:
            shown = self.bind().shown(cache)
            biases = [items[name] for name in ("b1", "b2")]
            arrays = coerce.cache_arrays(shown, binding.works, biases)
            answer |= {f"cache{i}": array for i, (_, array) in enumerate(arrays)}
            if sum(len(path) for path, _ in arrays) > int(items["max_bytes"]):
                raise coerce.BadReturn("the cache's keys are far longer than any right answer")
            paths = tuple(path.replace("\n", " ") for path, _ in arrays)
            cacheless = self.bind().straight or (not arrays and self.bind().cacheless)
            report = replace(report, cacheless=cacheless, paths=paths)
        if "want_inputs" in items:
            answer |= _after(arguments)
        return answer | {"report": to_json(report)}

    def backward(self, items: dict[str, Any]) -> dict[str, Any]:
        """Return the gradients for the cache of the forward that `handle` names."""
        backward = self.required("backward")
        grads, problems = coerce.gradients(backward(self.caches[items["handle"]]))
        return {**grads, "report": to_json(CallReport(problems=problems))}

    def torch(self, items: dict[str, Any]) -> dict[str, Any]:
        """Return loss and gradients of the PyTorch part, with autograd's engine as asked for."""
        arguments = [items[name].copy() for name in ARGUMENTS]
        with engine.altered(items):
            value = self.call("torch_forward_backward", *arguments)
        loss, returned = coerce.pair(value, "loss, grads")
        grads, problems = coerce.gradients(returned)
        answer: dict[str, Any] = {"loss": coerce.as_array(loss, "the loss"), **grads}
        answer["report"] = to_json(CallReport(type_name(loss), problems=problems))
        return answer | (_after(arguments) if "want_inputs" in items else {})

    def verify(self, items: dict[str, Any]) -> dict[str, Any]:
        """Return `accepted` as the candidate's `verify` says; an AssertionError is a no."""
        arguments = [items[name].copy() for name in ARGUMENTS]
        try:
            value = self.call("verify", *arguments)
        except AssertionError:
            return {"accepted": np.bool_(False)}
        return {"accepted": np.bool_(coerce.verdict(value))}

    def trace(self, items: dict[str, Any]) -> dict[str, Any]:
        """Return what every expression was on one run; `stopped` says what ended the run early."""
        recorder, stopped = tracing.Recorder(), ""
        recorder.install()
        try:
            files = self.prepare(items)
            tracer = tracing.Tracer(files, recorder, self.woven)
            self.module, self.weave = tracer.load(items["main"]), tracer.weave
            self.switch.armed = self.numpy_side
            self.function("forward" if self.numpy_side else "torch_forward_backward")
            arguments = [items[name].copy() for name in ARGUMENTS]
            self._traced(recorder, arguments)
        except BaseException as error:  # what was seen until then is worth having
            stopped = str(self._describe(error)["error"])
        report = TraceReport(tuple(recorder.functions), stopped)
        return {**recorder.packed(), "report": to_json(report)}

    def _traced(self, recorder: tracing.Recorder, arguments: list[Any]) -> None:
        if not self.numpy_side:
            with recorder.during("torch"):
                self.call("torch_forward_backward", *arguments)
            return
        if self.bind().at_once:  # once, as what it is: the gates are looked for there
            with recorder.during("backward"):
                self.call("backward_at_once", *arguments)
            return
        with recorder.during("forward"):
            value = self.call("forward", *arguments)
        _, cache = coerce.pair(value, "loss, cache")
        backward = self.required("backward")
        with recorder.during("backward"), recorder.beyond(self.files):
            backward(cache)


def _is_loaded_from(module: Any, files: Container[str]) -> bool:
    """Return whether a module is a submission's: one of its files or folders, or a stand-in."""
    if isinstance(module, standin.InertModule):
        return True
    names = vars(module) if isinstance(module, ModuleType) else {}
    file = names.get("__file__")
    return file in files if isinstance(file, str) else names.get("__path__") == []


class Missing(Exception):
    """The submission does not define the function `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _within(answer: dict[str, Any], max_bytes: int) -> dict[str, Any]:
    """Return `answer`, if it is no larger than any right one could be; the judge reads no more."""
    size = 0
    for name in sorted(answer, key=lambda name: name.startswith("cache")):
        value = answer[name]
        nbytes = value.nbytes if isinstance(value, np.ndarray) else len(str(value))
        size += nbytes
        if size > max_bytes and name.startswith("cache"):
            del answer[name]  # of a large cache, what fits
            size -= nbytes
        elif size > max_bytes:
            shape = getattr(value, "shape", ())
            raise coerce.BadReturn(f"{name} of shape {shape} is far larger than any right answer")
    return answer


def _after(arguments: list[Any]) -> dict[str, Any]:
    """Return the arguments as they are after the call."""
    named = zip(ARGUMENTS, arguments, strict=True)
    return {f"after_{n}": coerce.as_array(a, n) for n, a in named}


def start() -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """Return the zygote's entry, called in each child: the handler of a fresh `Driver`."""
    return Driver().handle
