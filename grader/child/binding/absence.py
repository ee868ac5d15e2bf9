"""What is there in place of a function that was not found, in words its author can act on."""

from __future__ import annotations

from collections.abc import Iterator

from grader.child.binding.environment import Environment, Unbindable
from grader.child.binding.names import PASSED_ROLES, plain
from grader.child.binding.source import Callee, Source
from grader.child.binding.styles import objects
from grader.child.binding.trial import RAISED, small_case
from grader.child.binding.writer import brief

TOO_LONG = "looking for a way to call it took too long"


def of_the_hand_written(source: Source, why: str, *, ended: bool) -> dict[str, str]:
    """By the contract's name: what was found instead, where, and what it lacks."""
    found: dict[str, str] = {}
    for name in ("forward", "backward"):
        near = [f for f in _functions(source) if name in f.kinds and not f.torch]
        if near:
            found[name] = f"found `{near[0].heading}` ({near[0].place}){_lacking(source, near[0])}"
    stub = next(
        (f for f in _functions(source) if f.stub and f.kinds & {"forward", "backward"}), None
    )
    if stub is not None and not stub.torch:
        words = f"found `{stub.heading}` ({stub.place}), which is a stub"
        return {"forward": words, "backward": words}
    if why and " needs `" not in why:
        found = {n: f"{text}; tried: {why}" for n, text in found.items()}
    if ended:
        found = {
            n: f"{found.get(n, '')}; {TOO_LONG}".removeprefix("; ") for n in ("forward", "backward")
        }
    if not found and (place := source.loose):
        found["forward"] = (
            f"found products of matrices outside of any function ({place}), where nothing can "
            "call them with other inputs; put them into functions"
        )
    return found


def of_the_pytorch(source: Source, why: str, *, ended: bool) -> dict[str, str]:
    """Return what is there in place of a PyTorch part, and why it did not do."""
    why = TOO_LONG if ended else why
    near = why if ended else ""
    for kind in source.classes:
        if kind.torch and kind.methods:
            method = kind.methods.get("forward") or next(iter(kind.methods.values()))
            near = f"found class `{kind.name}` with `{method.heading}` ({method.place})"
            break
    whole = (f for f in source.functions if f.torch and f.takes_network)
    if (function := next(whole, None)) is not None:
        near = f"found `{function.heading}` ({function.place})"
    near += f"; tried: {why}" if why and near and near != why else ""
    return {"torch_forward_backward": near} if near else {}


def _functions(source: Source) -> Iterator[Callee]:
    yield from source.functions
    for kind in source.classes:
        yield from (m for n, m in kind.methods.items() if not n.startswith("_"))


def _lacking(source: Source, function: Callee) -> str:
    """Return what a function, or the constructor of its class, asks for and cannot be given."""
    environment = Environment.of(small_case(), source.module)
    needed: list[str] = []
    while True:
        try:
            environment.arguments(function)
            break
        except Unbindable as error:
            needed.append(error.parameter)
            environment.made[error.parameter] = "None"
    needed = [name for name in needed if plain(name) not in PASSED_ROLES]
    if needed:
        return f", which needs {' and '.join(f'`{name}`' for name in needed)}"
    kind = next((c for c in source.classes if function in c.methods.values()), None)
    if kind is None:
        return ""
    try:
        objects.constructed(source.module, kind)
    except RAISED as error:
        return f"; no object of class `{kind.name}` could be made: {brief(error)}"
    return ""
