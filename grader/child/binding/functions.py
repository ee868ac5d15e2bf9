"""Style: functions at module level, in any order of parameters, with or without a dictionary.

forward(X, W1, b1, W2, b2) → probs, cache        loss(probs, y)        backward(cache, y)
two_layer_net(X, params, y) → loss, grads
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grader.child.binding import names, places
from grader.child.binding.containers import (
    Container,
    containers,
    standard_containers,
)
from grader.child.binding.environment import Environment
from grader.child.binding.flow import Flow, sequence
from grader.child.binding.layout import Layout
from grader.child.binding.names import WEIGHTS, plain
from grader.child.binding.source import Function, Source
from grader.child.binding.trial import RAISED, SIZES


@dataclass(frozen=True)
class ModuleOwner:
    """The module itself: nothing is constructed, and a call leaves nothing behind."""

    @property
    def title(self) -> str:
        return "functions"

    def begin(self, environment: Environment) -> Any:
        return None

    def target(self, subject: Any, function: Function) -> Callable[..., Any]:
        target: Callable[..., Any] = function.call
        return target

    def state(self, subject: Any) -> Any:
        return None

    def weights(self, subject: Any) -> dict[str, Any]:
        return {}

    def kept(self, subject: Any, backwards: Sequence[Function]) -> Iterator[places.Entry]:
        return iter(())


def takes_network(function: Function) -> bool:
    """Whether a function is given both weights, or a container of them, and the input."""
    roles = set(names.data_roles(function.names).values())
    return "X" in roles and ({"W1", "W2"} <= roles or takes_container(function))


def takes_container(function: Function) -> bool:
    """Whether one parameter holds all weights."""
    roles = set(names.data_roles(function.names).values())
    return not {"W1", "W2"} <= roles and any(
        "params" in names.PASSED_ROLES.get(plain(n), ()) for n in function.names
    )


def flows(source: Source, *, torch: bool, fixed: dict[str, str]) -> Iterator[Flow]:
    """Ways to call the module's functions, the likeliest first. `fixed` names some of them."""
    usable = [f for f in source.functions if f.torch == torch and "aside" not in f.kinds]
    whole = [f for f in usable if takes_network(f) and not f.stub]
    forwards = _ordered(whole, ("forward", "loss", ""))
    backwards = [f for f in usable if "backward" in f.kinds and "layer" not in f.kinds]
    backwards += [
        f for f in usable if f not in backwards and f.names_gradients and not takes_network(f)
    ]
    backwards.sort(key=lambda f: (f.name != "backward", not f.kinds, len(f.names) == 0))
    losses = [f for f in usable if "loss" in f.kinds and not takes_network(f)]
    if "forward" in fixed:
        forwards = [f for f in source.functions if f.name == fixed["forward"]]
    if "backward" in fixed:
        backwards = [f for f in source.functions if f.name == fixed["backward"]]
    owner = ModuleOwner()
    inits = _initial(source)
    forms = all_forms(source)
    for forward in forwards:
        for backward in backwards:
            if forward is backward:
                continue
            for stages in _with_loss(forward, losses, backward):
                cut = len(stages) - _after_loss(stages, backward)
                yield from _held(Flow(owner, stages, cut), inits, forms)
    if {"forward", "backward"} <= set(fixed):
        return
    ones = [f for f in whole if "y" in names.data_roles(f.names).values()]
    for one in _ordered(ones, ("both", "loss", "backward", "train", "", "forward")):
        yield from _held(Flow(owner, (one,), 1), inits, forms)


def _ordered(functions: list[Function], wanted: tuple[str, ...]) -> list[Function]:
    """By the first of `wanted` kinds that a function's name has; "" is no kind at all."""
    ranked = []
    for function in functions:
        ranks = [
            i for i, k in enumerate(wanted) if k in function.kinds or (not k and not function.kinds)
        ]
        if ranks:
            ranked.append((ranks[0], "layer" in function.kinds, function))
    return [f for _, _, f in sorted(ranked, key=lambda r: r[:2])]


def _with_loss(
    forward: Function, losses: list[Function], backward: Function
) -> Iterator[tuple[Function, ...]]:
    """The calls with a separate loss, where the forward seems to give none."""
    has_loss = any(names.is_loss(n) for labels in forward.returns for n in labels)
    takes_y = "y" in names.data_roles(forward.names).values()
    if not (has_loss and takes_y):
        for loss in losses:
            yield sequence(forward, loss, backward)
    yield sequence(forward, backward)


def _after_loss(stages: tuple[Function, ...], backward: Function) -> int:
    return len(stages) - stages.index(backward)


def all_forms(source: Source) -> list[Container]:
    """Forms in which any function uses a parameter that holds the weights, or a class of fields."""
    found = []
    for function in source.functions:
        for name in function.names:
            if "params" in names.PASSED_ROLES.get(plain(name), ()):
                found += containers(function, name)
    for kind in source.classes:
        fields = {n: r for n, r in names.data_roles(_fields(kind.type)).items() if r in WEIGHTS}
        if set(fields.values()) == set(WEIGHTS) and set(kind.methods) <= {
            "__init__",
            "__eq__",
            "__repr__",
        }:
            try:
                template = kind.type(**dict.fromkeys(fields))
            except RAISED:
                continue
            found.append(Container(template, {r: (("attribute", n),) for n, r in fields.items()}))
    return found


def _fields(kind: type) -> tuple[str, ...]:
    return tuple(getattr(kind, "__annotations__", {}))


def _held(
    flow: Flow, inits: list[tuple[Container, Layout]], others: list[Container]
) -> Iterator[Flow]:
    """`flow` with each form in which its functions may want the weights."""
    wanting = [f for f in flow.stages if takes_container(f)]
    if not wanting:
        yield flow
        return
    forms = [container for container, _ in inits]
    for function in wanting:
        for name in function.names:
            if "params" in names.PASSED_ROLES.get(plain(name), ()):
                forms += containers(function, name)
    seen = list[str]()
    for form in [*forms, *others] or standard_containers():
        if (words := repr((type(form.template), dict(form.at)))) not in seen:
            seen.append(words)
            yield replace(flow, container=form)


# ── what the candidate's own initialisation shows ────────────────────────────


def _initial(source: Source) -> list[tuple[Container, Layout]]:
    """Containers made by the candidate's `init_params(…)`, and how the weights lie in them."""
    found = []
    for function in source.functions:
        if not plain(function.name).startswith(("init", "make", "create", "build", "get", "new")):
            continue
        if (
            "param" not in plain(function.name)
            and "weight" not in plain(function.name)
            and ("init" not in plain(function.name))
        ):
            continue
        made = _made(function)
        if made is not None:
            found.append(made)
    return found


def _made(function: Function) -> tuple[Container, Layout] | None:
    environment = Environment({}, dict(SIZES), constructing=True)
    try:
        positional, keyword = environment.arguments(function)
        result = function.call(*positional, **keyword)
    except RAISED:
        return None
    at = locate(list(places.walk(result)))
    layout = layout_of({n: places.shape(places.get(result, p)) for n, p in at.items()})
    return (Container(result, at), layout) if layout and {"W1", "W2"} <= set(at) else None


def locate(entries: list[tuple[places.Place, Any]]) -> dict[str, places.Place]:
    """Weight → where it stands, by its sizes; of several, the one whose name says so."""
    D, H, C = (SIZES[s] for s in "DHC")
    wanted = {"W1": {D, H}, "b1": {H}, "W2": {H, C}, "b2": {C}}
    found: dict[str, places.Place] = {}
    for name in WEIGHTS:
        fits = [p for p, v in entries if {n for n in places.shape(v) if n > 1} == wanted[name]]
        fits = [p for p in fits if not _is_other(p)] or fits
        named = [p for p in fits if names.gradient_of(places.last_name(p)) == (name, False)]
        if named or fits:
            found[name] = (named or fits)[0]
    return found


def chained(entries: list[places.Entry]) -> tuple[dict[str, places.Place], Layout | None]:
    """Weights that were made at sizes of their own: by their names, or two layers in a row.

    Their sizes have to fit one another, as those of two layers do.
    """
    own = [(p, v) for p, v in entries if not _is_other(p)]
    at: dict[str, places.Place] = {}
    for place, _ in own:
        for text in (places.last_name(place), places.whole_name(place)):
            tensor, explicit = names.gradient_of(text)
            if tensor in WEIGHTS and not explicit:
                at.setdefault(tensor, place)
    if set(at) != set(WEIGHTS):
        flat = [(p, [n for n in places.shape(v) if n > 1]) for p, v in own]
        two, one = ([p for p, s in flat if len(s) == n] for n in (2, 1))
        if len(two) != 2 or len(one) != 2:
            return {}, None
        at = dict(zip(("W1", "W2", "b1", "b2"), (*two, *one), strict=True))
    shapes = {n: places.shape(v) for n, p in at.items() for q, v in own if q == p}
    return at, _layout_of_chain(shapes)


def _layout_of_chain(shapes: dict[str, tuple[int, ...]]) -> Layout | None:
    W1, W2, b1 = shapes["W1"], shapes["W2"], shapes["b1"]
    if len(W1) != 2 or len(W2) != 2 or len(b1) not in (1, 2):
        return None
    size = max(b1)
    bias = "flat" if len(b1) == 1 else "row" if b1[0] == 1 else "column"
    if (W1[0], W2[1]) == (size, size) and (W1[1], W2[0]) != (size, size):
        return Layout(transposed=True, bias=bias)
    return Layout(bias=bias) if (W1[1], W2[0]) == (size, size) else None


def _is_other(place: places.Place) -> bool:
    """Whether a place's names say gradient, momentum or running average."""
    words = [str(key) for _, key in place if isinstance(key, str)]
    return any(
        names.gradient_of(w)[1]
        or "grad" in w.lower()
        or w.lower().startswith(("m_", "v_", "vel", "cache", "mom"))
        for w in words
    )


def layout_of(shapes: dict[str, tuple[int, ...]]) -> Layout | None:
    """How weights of these shapes lie; the input's side is left open."""
    D, H = SIZES["D"], SIZES["H"]
    if shapes.get("W1") not in ((D, H), (H, D)):
        return None
    bias = shapes.get("b1", (H,))
    forms = {(H,): "flat", (1, H): "row", (H, 1): "column"}
    return Layout(transposed=shapes["W1"] == (H, D), bias=forms.get(bias, "flat"))
