"""Style: a verification under another name or with other arguments, or with none (child's side)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from grader.child import coerce
from grader.child.binding import names
from grader.child.binding.canonical import ARGUMENTS as CONTRACT
from grader.child.binding.environment import Environment, settings_of
from grader.child.binding.names import plain
from grader.child.binding.source import Callee, Source

NAMED = re.compile(
    r"verif|compar|checkgrad|gradcheck|gradientcheck|checkagainst|agree|match|allclose|validate|"
    r"crosscheck|^check|testgrad|testagree|sanity"
)
NUMERIC = re.compile(r"numeric|finite|central|accuracy|relerr|shape")
TORCH_SIDE = re.compile(r"torch|auto|ref|pt$|^pt|expected|true|ag$")
GRADIENTS = re.compile(r"grad|^d[wbx]|^g\d?$")


def bind(
    source: Source,
    own_name: str,
    part: Callable[[str], Any],
    space: Callable[[Mapping[str, Any]], Environment],
) -> tuple[Callee, Callable[..., Any]] | None:
    """Return the verification and a callable for it with the contract's arguments; None for none.

    `part` gives the other parts, for who wants gradients handed in; `space` what the hand-written
    part is given of the inputs, such as one argument with all weights.
    """
    candidates = [f for f in source.functions if f.name == (own_name or "verify")]
    if not candidates and not own_name:
        named = [f for f in source.functions if NAMED.search(plain(f.name))]
        named = [f for f in named if not NUMERIC.search(plain(f.name))]
        named.sort(key=lambda f: (not f.torch, "verif" not in plain(f.name)))
        candidates = [f for f in named if _wants_gradients(f) or _can_be_given(f)]
    for function in candidates:
        return function, _caller(function, part, space)
    return None


def _wants_gradients(function: Callee) -> bool:
    return sum(bool(GRADIENTS.search(plain(n))) for n in function.names) >= 2


def _can_be_given(function: Callee) -> bool:
    """Tell whether there is something to give for all that it needs, and reason to call it so.

    What touches neither PyTorch nor an argument of the contract verifies something else.
    """
    roles = names.data_roles(function.names)
    needed = [p for p in function.parameters if p.default is inspect.Parameter.empty]
    return (bool(roles) or function.torch) and all(
        p.name in roles or _is_setting(p.name) or bool(settings_of(p, function)) for p in needed
    )


def _is_setting(name: str) -> bool:
    return plain(name) in names.SETTING_ROLES or plain(name) in names.SIZE_ROLES


def _caller(
    function: Callee,
    part: Callable[[str], Any],
    space: Callable[[Mapping[str, Any]], Environment],
) -> Callable[..., Any]:
    def verify(*arguments: Any) -> Any:
        environment = space(dict(zip(CONTRACT, arguments, strict=True)))
        if _wants_gradients(function):
            _offer_gradients(environment, function, part, arguments)
        return environment.call(function, function.call)

    verify.__wrapped__ = function.call  # type: ignore[attr-defined]  # whose lines these are
    verify.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(n, inspect.Parameter.POSITIONAL_ONLY) for n in CONTRACT]
    )
    return verify


def _offer_gradients(
    environment: Environment, function: Callee, part: Callable[[str], Any], arguments: Any
) -> None:
    """Both sides' gradients under the names that the function has for them."""
    numpy, torch = part("numpy").callables, part("torch").callables
    copies = [a.copy() for a in arguments]
    loss, cache = coerce.pair(numpy["forward"](*copies), "loss, cache")
    by_hand, _ = coerce.gradients(numpy["backward"](cache))
    theirs, grads = coerce.pair(torch["torch_forward_backward"](*copies), "loss, grads")
    by_torch, _ = coerce.gradients(grads)
    wanted = [n for n in function.names if GRADIENTS.search(plain(n))]
    sides = [bool(TORCH_SIDE.search(plain(n))) for n in wanted]
    if len(set(sides)) == 1:
        sides = [False, True, *([True] * len(wanted))][: len(wanted)]
    for name, is_torch in zip(wanted, sides, strict=True):
        environment.offer(name, by_torch if is_torch else by_hand)
    for name in function.names:
        if names.is_loss(name):
            environment.offer(name, theirs if TORCH_SIDE.search(plain(name)) else loss)
