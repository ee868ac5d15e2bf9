"""Which function checks gradients by finite differences, and how it is called (child's side).

Three forms. A check of the network is given the inputs: `gradient_check(X, y, W1, …)`,
`check_gradients(params, grads, X, y)`, `net.grad_check(X, y)`. A helper is given a function
and where to differentiate it: `numerical_gradient(f, x)`. A helper that compares is given
the gradient as well: `grad_check(f, x, analytic)`.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from grader.child import coerce
from grader.child.binding import Binding, names
from grader.child.binding.canonical import ARGUMENTS as CONTRACT
from grader.child.binding.environment import Unbindable
from grader.child.binding.language.containers import STANDARD, WeightForm, containers
from grader.child.binding.names import plain
from grader.child.binding.source import Callee, Class
from grader.child.binding.verify import GRADIENTS
from grader.child.reports import DifferenceForm
from grader.source.trees import walk

Array = np.ndarray[Any, Any]

NAMED = re.compile(
    r"grad\w*check|check\w*grad|numer|finite|central|^fd|fd$|fdcheck|checkfd|differencecheck"
)
ASIDE = re.compile(r"softmax|stable|logsum|relu|^test_?shape")
STEPS = ("h", "eps", "epsilon", "delta", "step", "stepsize", "dx", "e")
ANALYTIC = re.compile(r"grad|analytic|^d[wbx]|^g$|^da$|^df$")
NETWORKS = ("net", "network", "model", "nn", "mlp", "m")

STEP = float(np.finfo(np.float64).eps ** (1 / 3))
"""What is given to who asks for a step and has none of its own."""

Way = Callable[..., Any]
"""How to call it. A check is given the contract's six arrays, a helper f, x and the gradient."""


@dataclass(frozen=True)
class Candidate:
    """A function that may be the check, and the ways to call it, the likeliest first.

    `asks_step` where the step is the caller's to give; `is_named` where it has the
    contract's name, and so says of itself that it is a check; `alone` where it is given
    nothing and works on numbers of its own.
    """

    function: Callee
    kind: DifferenceForm
    ways: tuple[Way, ...]
    asks_step: bool
    is_named: bool = False
    alone: bool = False


def candidates(bound: Binding, named: Mapping[str, str]) -> Iterator[Candidate]:
    """Yield the functions and methods that may be the check: a whole check before a helper."""
    own = named.get("gradient_check", "gradient_check").rpartition(".")[2]
    every: list[tuple[Callee, Class | None]] = [(f, None) for f in bound.source.functions]
    for kind in bound.source.classes:
        every += [(m, kind) for n, m in kind.methods.items() if not n.startswith("__")]
    likely = [
        _candidate(bound, f, owner, is_named=f.name == own)
        for f, owner in every
        if not f.stub and (f.name == own or _is_named(f.name))
    ]
    order = (DifferenceForm.CHECK, DifferenceForm.COMPARING, DifferenceForm.HELPER)
    yield from sorted(likely, key=lambda c: (not c.is_named, order.index(c.kind)))


def _is_named(name: str) -> bool:
    return bool(NAMED.search(plain(name)) and not ASIDE.search(plain(name)))


def _candidate(
    bound: Binding, function: Callee, owner: Class | None, *, is_named: bool
) -> Candidate:
    asked = [p for p in function.parameters if p.default is inspect.Parameter.empty]
    asks_step = any(plain(p.name) in STEPS for p in asked)
    if called := _called_parameter(function):
        others = [p.name for p in asked if p.name != called and plain(p.name) not in STEPS]
        compares = any(ANALYTIC.search(plain(n)) for n in others[1:])
        kind = DifferenceForm.COMPARING if compares else DifferenceForm.HELPER
        return Candidate(function, kind, (_helper(function, called),), asks_step, is_named)
    if owner is None and not (asked or function.star or names.data_roles(function.names)):
        ways: tuple[Way, ...] = (lambda *_: function.call(),)
        return Candidate(function, DifferenceForm.CHECK, ways, asks_step, is_named, alone=True)
    ways = tuple(_checks(bound, function, owner))
    return Candidate(function, DifferenceForm.CHECK, ways, asks_step, is_named)


def _called_parameter(function: Callee) -> str:
    """Return the parameter that the function's own text calls: what it differentiates."""
    for node in walk(function.node) if function.node else ():
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in function.names:
            return called.id
    return ""


# ── helpers ──────────────────────────────────────────────────────────────────


def _helper(function: Callee, called: str) -> Way:
    def way(f: Callable[..., Any], x: Array, gradient: Array) -> Any:
        values: dict[str, Any] = {}
        rest = [x, gradient]
        for parameter in function.parameters:
            if parameter.name == called:
                values[parameter.name] = f
            elif parameter.default is not inspect.Parameter.empty:
                continue
            elif plain(parameter.name) in STEPS:
                values[parameter.name] = STEP
            elif rest:
                values[parameter.name] = rest.pop(0)
            else:
                raise Unbindable(function, parameter.name)
        return function.call(**values)

    return way


# ── checks of the network ────────────────────────────────────────────────────


def _checks(bound: Binding, function: Callee, owner: Class | None) -> Iterator[Way]:
    """Yield a way for each form of the weights, and for either name of the gradients."""
    held = bound.part("numpy").container
    forms: list[WeightForm | None] = [None]
    for name in function.names:
        if "params" in names.PASSED_ROLES.get(plain(name), ()):
            forms = [*([held] if held else ()), *containers(function, name), *STANDARD]
    for form in forms:
        for prefix in ("", "d") if _gradient_names(function) else ("",):
            yield _check(bound, function, owner, form, prefix)


def _check(
    bound: Binding, function: Callee, owner: Class | None, form: WeightForm | None, prefix: str
) -> Way:
    own = _without_settings(function)

    def way(*arguments: Array) -> Any:
        if owner is None and function.star and not own.parameters:
            return function.call(*arguments)
        inputs = dict(zip(CONTRACT, arguments, strict=True))
        environment, subject = bound.environment(inputs)
        if form is not None:
            environment.hold(form)
        for name in function.names:
            if plain(name) in STEPS and name in own.names:
                environment.offer(name, STEP)
            if plain(name) in NETWORKS and subject is not None:
                environment.offer(name, subject)
        if asked := _gradient_names(own):
            for name, gradient in _gradients(bound, asked, arguments, prefix).items():
                environment.offer(name, gradient)
        target = function.call
        if owner is not None:
            if subject is None or type(subject) is not owner.type:
                raise Unbindable(function, "self")
            target = getattr(subject, function.name)
        return environment.call(own, target)

    return way


def _without_settings(function: Callee) -> Callee:
    """Leave out what has a default and is no tensor: a step of its own must stay its own."""
    roles = names.data_roles(function.names)
    parameters = tuple(
        p
        for p in function.parameters
        if p.default is inspect.Parameter.empty
        or (p.name in roles and not isinstance(p.default, int | float))
    )
    return replace(function, parameters=parameters)


def _gradient_names(function: Callee) -> list[str]:
    roles = names.data_roles(function.names)
    return [n for n in function.names if n not in roles and GRADIENTS.search(plain(n))]


def _gradients(
    bound: Binding, asked: list[str], arguments: tuple[Array, ...], prefix: str
) -> dict[str, Any]:
    """Return the hand-written gradients under the names that the function has for them."""
    copies = [a.copy() for a in arguments]
    _, cache = coerce.pair(bound.find("forward")(*copies), "loss, cache")
    returned = bound.find("backward")(cache)
    gradients, _ = coerce.gradients(returned)
    made: dict[str, Any] = {}
    for name in asked:
        tensor, _ = names.gradient_of(name)
        if tensor:
            made[name] = gradients.get(tensor)
        elif prefix:
            made[name] = {f"{prefix}{t}": a for t, a in gradients.items()}
        else:
            made[name] = returned
    return made
