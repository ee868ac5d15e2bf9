"""An object of a candidate's class: how it is made, and where it keeps the weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

from grader.child.binding import names
from grader.child.binding.environment import Environment
from grader.child.binding.language import places
from grader.child.binding.language.containers import STANDARD
from grader.child.binding.language.layout import CONTRACT
from grader.child.binding.names import plain
from grader.child.binding.source import OBJECT, Class
from grader.child.binding.styles.location import chained, layout_of, locate
from grader.child.binding.trial import RAISED, small_case
from grader.child.binding.writer import Draft

INITIALISERS = ("init", "build", "reset", "setup", "initialize", "create")
FIXED_SIZES = "the class is made at sizes of its own, and given weights of others"


def drafts(module: ModuleType, kind: Class, *, torch: bool = False) -> Iterator[Draft]:
    """Yield the ways to make an object, without any calls; nothing where none can be made."""
    given = kind.is_given_weights
    form = kind.constructor is not None and kind.constructor.takes_container and not torch
    draft = Draft((), 1, f"class {kind.name}", kind, torch=torch)
    draft = replace(draft, container=STANDARD[0] if form else None)
    try:
        draft = _with(draft, f"{OBJECT} = {_call(module, draft)}")
    except RAISED:
        return
    initialisers = [
        m for m in kind.methods.values()
        if plain(m.name).startswith(INITIALISERS) and not m.name.startswith("__")
    ]  # fmt: skip
    for initialiser in (None, *(() if torch else initialisers)):
        try:
            made = draft
            if initialiser is not None:
                made = _with(draft, _constructing(module, draft).line(initialiser))
            subject = _space(module, made)[OBJECT]
        except RAISED:
            if initialiser is not None:
                continue
            if given:
                yield draft
            return
        quiet = _with(made, *_settings(subject))
        if (located := _located(quiet, subject)) is not None:
            if torch or not given:
                yield located
                return
            if not located.remarks:
                break
    yield _with(draft, *_settings(subject)) if not given else draft


def _with(draft: Draft, *lines: str) -> Draft:
    return replace(draft, make=(*draft.make, *lines))


def _space(module: ModuleType, draft: Draft) -> dict[str, Any]:
    """Return the names once the draft's lines have made an object for the small case."""
    return draft.adapter(module).begin(small_case())


def _constructing(module: ModuleType, draft: Draft) -> Environment:
    held = draft.container is not None
    return Environment(_space(module, draft), held, constructing=True)


def constructed(module: ModuleType, kind: Class) -> Any:
    """Return an object for the small case. Raises `Unbindable`, and what the constructor raises."""
    draft = Draft((), 1, kind=kind)
    return _space(module, _with(draft, f"{OBJECT} = {_call(module, draft)}"))[OBJECT]


def _call(module: ModuleType, draft: Draft) -> str:
    """Return the call of the constructor. Raises `Unbindable`."""
    kind = draft.kind
    assert kind is not None
    if kind.constructor is None:
        return f"{kind.name}()"
    constructor = replace(kind.constructor, name=kind.name, owner="")
    return _constructing(module, draft).line(constructor)


def _settings(subject: Any) -> Iterator[str]:
    """Lines that give an object that keeps a learning rate ours, and turn off its penalties."""
    for name, value in list(getattr(subject, "__dict__", {}).items()):
        roles = names.SETTING_ROLES.get(plain(name), ())
        if "lr" in roles and isinstance(value, int | float):
            yield f"{OBJECT}.{name} = lr"
        elif "off" in roles and isinstance(value, float):
            yield f"{OBJECT}.{name} = 0.0"


def _located(draft: Draft, subject: Any) -> Draft | None:
    """Return the draft with the places of the object's weights; None where it has none."""
    entries = list(places.walk(subject))
    at, remarks = locate(entries), tuple[str, ...]()
    layout = layout_of({n: places.shape(places.get(subject, p)) for n, p in at.items()})
    if not {"W1", "W2"} <= set(at):
        at, layout = chained(entries)
        remarks = (FIXED_SIZES,)
        if layout is None:
            return None
        if draft.torch and draft.kind and draft.kind.module:
            layout = replace(layout, transposed=True)  # as `nn.Linear` has them
    keys: dict[str, Any] = {}
    put = [
        f"{places.text(alias, OBJECT, keys)} = {places.text(at[name], OBJECT, keys)}"
        for name, same in ({} if draft.torch else places.aliases(subject, at)).items()
        for alias in same
    ]
    held = ", ".join(places.text(at[n], "self") for n in sorted(at))
    return replace(
        draft, title=f"{draft.title} ({held})", put=tuple(put), remarks=remarks, names=keys,
        weights={n: places.text(p, OBJECT, keys) for n, p in at.items()},
        layout=layout or CONTRACT, fixed=True,
    )  # fmt: skip
