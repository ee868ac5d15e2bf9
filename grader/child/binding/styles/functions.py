"""Style: functions at module level, in any order of parameters, with or without a dictionary.

forward(X, W1, b1, W2, b2) → probs, cache        loss(probs, y)        backward(cache, y)
two_layer_net(X, params, y) → loss, grads
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

from grader.child.binding import names
from grader.child.binding.environment import CONTAINER, Environment
from grader.child.binding.language import places
from grader.child.binding.language.containers import STANDARD, WeightForm, fields_of, forms_of
from grader.child.binding.names import plain
from grader.child.binding.source import Callee, Source
from grader.child.binding.styles.location import layout_of, locate
from grader.child.binding.trial import RAISED, SIZES
from grader.child.binding.writer import Draft

MAKES = ("init", "make", "create", "build", "get", "new")


def drafts(source: Source, fixed: Mapping[str, str]) -> Iterator[Draft]:
    """Ways to call the module's functions, the likeliest first. `fixed` names some of them."""
    usable = [f for f in source.functions if not f.torch and "aside" not in f.kinds]
    whole = [f for f in usable if f.takes_network and not f.stub]
    if not whole:  # `run_manual`
        usable = [f for f in source.functions if not f.torch]
        whole = [f for f in usable if f.takes_network and not f.stub]
    forwards = _ordered(whole, ("forward", "loss", ""))
    backwards = [f for f in usable if "backward" in f.kinds and "layer" not in f.kinds]
    backwards += [
        f for f in usable if f not in backwards and f.names_gradients and not f.takes_network
    ]
    backwards.sort(key=lambda f: (f.name != "backward", not f.kinds, len(f.names) == 0))
    losses = [f for f in usable if "loss" in f.kinds and not f.takes_network]
    if "forward" in fixed:
        forwards = [f for f in source.functions if f.name == fixed["forward"]]
    if "backward" in fixed:
        backwards = [f for f in source.functions if f.name == fixed["backward"]]
    inits = [made for f in source.functions if (made := _made(source.module, f)) is not None]
    forms = [*forms_of(source.functions), *fields_of(source.classes)]
    for forward in forwards:
        for backward in (b for b in backwards if b is not forward):
            for ahead in _with_loss(forward, losses):
                yield from _held(Draft((*ahead, backward), len(ahead)), inits, forms)
    if {"forward", "backward"} <= set(fixed):
        return
    ones = [f for f in whole if "y" in f.roles]
    for one in _ordered(ones, ("both", "loss", "backward", "train", "", "forward")):
        yield from _held(Draft((one,), 1), inits, forms)


def _ordered(functions: list[Callee], wanted: tuple[str, ...]) -> list[Callee]:
    """By the first of `wanted` kinds that a function's name has; "" is no kind at all."""
    ranked = []
    for function in functions:
        kinds = function.kinds or {""}
        if ranks := [rank for rank, kind in enumerate(wanted) if kind in kinds]:
            ranked.append((ranks[0], "layer" in function.kinds, function))
    return [f for _, _, f in sorted(ranked, key=lambda r: r[:2])]


def _with_loss(forward: Callee, losses: list[Callee]) -> Iterator[tuple[Callee, ...]]:
    """Yield the forward with a separate loss, where it seems to give none, and alone."""
    has_loss = any(names.is_loss(n) for labels in forward.returns for n in labels)
    if not (has_loss and "y" in forward.roles):
        yield from ((forward, loss) for loss in losses)
    yield (forward,)


def _held(draft: Draft, inits: list[WeightForm], others: list[WeightForm]) -> Iterator[Draft]:
    """Yield the draft with each form in which its functions may want the weights."""
    wanting = [f for f in draft.stages if f.takes_container]
    if not wanting:
        yield draft
        return
    forms = [*inits, *forms_of(wanting), *others]
    first = {form.text: form for form in reversed(forms or STANDARD)}
    for text in dict.fromkeys(form.text for form in forms or STANDARD):
        layout = first[text].layout
        fixed = layout is not None
        yield replace(draft, container=first[text], fixed=fixed, layout=layout or draft.layout)


def _made(module: ModuleType, function: Callee) -> WeightForm | None:
    """Return what the candidate's `init_params(…)` makes, and how the weights lie in it."""
    name = plain(function.name)
    if not name.startswith(MAKES) or not any(w in name for w in ("param", "weight", "init")):
        return None
    space = {**vars(module), **SIZES, "lr": 1.0}
    environment = Environment(space, constructing=True, given=())
    try:
        line = environment.line(function)
        result = eval(line, space)
    except RAISED:
        return None
    entries = list(places.walk(result))
    at = locate(entries)
    layout = layout_of({n: places.shape(places.get(result, p)) for n, p in at.items()})
    if layout is None or not {"W1", "W2"} <= set(at):
        return None
    text = _literal(result, {p: n for n, p in at.items()})
    if text:
        return WeightForm(text, layout=layout)
    return WeightForm(line, {n: places.text(p, CONTAINER) for n, p in at.items()}, layout)


def _literal(value: Any, roles: Mapping[places.Place, str], place: places.Place = ()) -> str:
    """Return the display of a container that holds nothing but the weights; "" for any other."""
    if place in roles:
        return roles[place]
    if type(value) is dict:
        parts = [
            f"{key!r}: {inner}" if (inner := _literal(v, roles, (*place, ("key", key)))) else ""
            for key, v in value.items()
        ]
        return f"{{{', '.join(parts)}}}" if all(parts) else ""
    if type(value) not in (tuple, list):
        return ""
    parts = [_literal(v, roles, (*place, ("index", n))) for n, v in enumerate(value)]
    ends = "[]" if type(value) is list else ("(", ",)")
    return f"{ends[0]}{', '.join(parts)}{ends[1]}" if all(parts) else ""
