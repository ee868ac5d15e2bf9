"""What a call of the candidate's can be given, looked up by the names of its parameters.

Everything is an expression in the adapter's language: `X`, `[D, H, C]`, `forward_out[1]`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from grader.child.binding import names
from grader.child.binding.language import places
from grader.child.binding.language.containers import TOOLS, WeightForm
from grader.child.binding.names import DATA, WEIGHTS, plain
from grader.child.binding.source import Callee
from grader.child.binding.trial import RAISED

NEUTRAL: Mapping[str, str] = {
    "off": "0.0", "one": "1", "seed": "0", "small": "0.01", "no": "False", "yes": "True",
    "lr": "lr", "dtype": "X.dtype",
}  # fmt: skip
"""Settings that leave the network as the contract has it: no penalty, no dropout, one step."""

CONTAINER = "params"
"""The variable of the one argument that holds all weights."""


class Unbindable(Exception):
    """A parameter for which there is nothing to give."""

    def __init__(self, function: Callee, parameter: str) -> None:
        super().__init__(f"{function.heading} needs `{parameter}`")
        self.function, self.parameter = function, parameter


@dataclass(frozen=True)
class Output:
    """What a call returned: its variable, or one variable a part."""

    text: str
    value: Any
    parts: tuple[str, ...] = ()

    def part(self, number: int) -> str:
        """Return the expression of one part of a tuple."""
        return self.parts[number] if self.parts else f"{self.text}[{number}]"

    def at(self, place: places.Place, keys: dict[str, Any]) -> str:
        """Return the expression of what stands at a place in it."""
        if self.parts and place:
            return places.text(place[1:], self.parts[place[0][1]], keys)
        return places.text(place, self.text, keys)


@dataclass
class Environment:
    """The names that a call may use: the arrays, the sizes, and what earlier calls returned.

    `space` says what the names hold, `given` which of the contract's arrays are there.
    `constructing` looks for sizes before anything else.
    """

    space: dict[str, Any]
    container: bool = False
    constructing: bool = False
    given: Sequence[str] = DATA
    made: dict[str, str] = field(default_factory=dict)
    results: list[Output] = field(default_factory=list)

    @staticmethod
    def of(arrays: Mapping[str, Any], module: ModuleType) -> Environment:
        """Return the environment of a module's own functions, given the contract's arrays."""
        sizes = zip("BDHC", (*arrays["X"].shape, *arrays["W2"].shape), strict=True)
        return Environment({**TOOLS, **vars(module), **arrays, **dict(sizes), "lr": 1.0})

    def offer(self, name: str, value: Any) -> None:
        """Give `value` to whatever parameter is called `name`."""
        self.space[name] = value
        self.made[name] = name

    def hold(self, container: WeightForm) -> None:
        """Give the weights in this form to whoever takes all of them in one argument."""
        self.space[CONTAINER] = eval(container.text, self.space)
        self.container = True

    # ── a call ───────────────────────────────────────────────────────────────

    def line(self, function: Callee) -> str:
        """Return the call of a function: `backward(cache, y)`. Raises `Unbindable`."""
        positional, keyword = self.arguments(function)
        named = (f"{name}={text}" for name, text in keyword.items())
        return f"{function.path}({', '.join((*positional, *named))})"

    def call(self, function: Callee, target: Any) -> Any:
        """Call `target` with what `function`'s parameters ask for."""
        positional, keyword = self.arguments(function)
        return target(
            *(eval(text, self.space) for text in positional),
            **{name: eval(text, self.space) for name, text in keyword.items()},
        )

    def arguments(self, function: Callee) -> tuple[list[str], dict[str, str]]:
        """Expressions for the parameters. Raises `Unbindable`."""
        roles = names.data_roles(function.names)
        positional: list[str] = []
        keyword: dict[str, str] = {}
        skipped = False
        unknown = self._by_position(function, roles)
        for parameter in function.parameters:
            text = self._text(parameter, roles.get(parameter.name, ""), function)
            text = text or unknown.get(parameter.name, "")
            if not text:
                if parameter.default is inspect.Parameter.empty:
                    raise Unbindable(function, parameter.name)
                skipped = True
            elif skipped or parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                keyword[parameter.name] = text
            else:
                positional.append(text)
        return positional, keyword

    def _by_position(self, function: Callee, roles: Mapping[str, str]) -> dict[str, str]:
        """For parameters under names that say nothing: in a constructor the sizes in their order.

        Elsewhere a single one: of a loss what the forward gave, of a backward its cache, else
        the input, if that is not given under its own name.
        """
        needed = [p.name for p in function.parameters if p.default is inspect.Parameter.empty]
        if self.constructing:
            strange = [n for n in needed if not self._setting(n) and not self._size(n)]
            if len(needed) >= 3 and strange and needed[:3] != strange[:3]:
                return {}
            return dict(zip(strange, "DHC", strict=False))
        strange = [n for n in needed if n not in roles and self._is_strange(n)]
        if len(strange) != 1:
            return {}
        if "loss" in function.kinds and self.results:
            text = self._by_example_and_class(self.results[-1])
            return {strange[0]: text} if text else {}
        goes_back = "backward" in function.kinds or function.names_gradients
        if len(needed) == 1 and self.results and goes_back:
            return {strange[0]: self._cache()}
        if "X" in roles.values() or "X" not in self.given or self.results:
            return {}
        return {strange[0]: "X"}

    def _is_strange(self, name: str) -> bool:
        tables = (names.PASSED_ROLES, names.SETTING_ROLES, names.SIZE_ROLES)
        return not any(plain(name) in table for table in tables) and not self._made(name)

    def _text(self, parameter: inspect.Parameter, role: str, function: Callee) -> str:
        name = parameter.name
        if self.constructing:
            if text := self._size(name) or self._weights(name):
                return text
            if setting := self._unless_default(parameter):
                return setting
            known = role in WEIGHTS and role in self.given and not self._setting(name)
            return role if known else ""
        if text := self._made(name):
            return text
        if role in self.given:
            return role
        if text := self._weights(name) or self._passed(name):
            return text
        if self._setting(name):
            return self._unless_default(parameter)
        if text := self._size(name):
            return text
        if parameter.default is inspect.Parameter.empty:
            return settings_of(parameter, function)
        return ""

    def _unless_default(self, parameter: inspect.Parameter) -> str:
        """Return a setting, if it has no default, or has to be turned off all the same."""
        text = self._setting(parameter.name)
        if text and parameter.default is not inspect.Parameter.empty:
            roles = names.SETTING_ROLES.get(plain(parameter.name), ())
            turned = bool({"off", "lr", "one"} & set(roles))
            if "dtype" in roles or (turned and isinstance(parameter.default, int | float)):
                return text
            return ""
        return text

    # ── where a value comes from ─────────────────────────────────────────────

    def _made(self, name: str) -> str:
        wanted = plain(name)
        near = (text for other, text in self.made.items() if plain(other) == wanted)
        return self.made.get(name) or next(near, "")

    def _weights(self, name: str) -> str:
        roles = names.PASSED_ROLES.get(plain(name), ())
        if "biases" in roles and "b1" in self.given:
            return "[b1, b2]"
        return CONTAINER if self.container and {"params", "biases"} & set(roles) else ""

    def _passed(self, name: str) -> str:
        """Something of an earlier call under another name of the same role."""
        roles = names.PASSED_ROLES.get(plain(name), ())
        for role in roles:
            if role == "cache" and self.results:
                return self._cache()
            for other, text in reversed(self.made.items()):
                if role in names.PASSED_ROLES.get(plain(other), ()):
                    return text
        if {"P", "Z2", "dZ2"} & set(roles):
            for result in reversed(self.results):
                if text := self._by_example_and_class(result):
                    return text
        return ""

    def _by_example_and_class(self, result: Output) -> str:
        """Return the last array of a result with a number for each example and class, as P."""
        wanted = {self.space["B"], self.space["C"]}
        whole = not isinstance(result.value, tuple | list)
        fits = [
            (number, part) for number, part in enumerate([result.value] if whole else result.value)
            if places.is_array(part) and set(places.shape(part)) == wanted
        ]  # fmt: skip
        if not fits or len(places.shape(fits[-1][1])) != 2:
            return ""
        return result.text if whole else result.part(fits[-1][0])

    def _cache(self) -> str:
        """Return what the first call kept for the second: its last part that is no number."""
        result = self.results[0]
        parts = enumerate(result.value) if type(result.value) is tuple else ()
        own = [n for n, p in parts if not places.is_array(p) and not places.is_number(p)]
        return result.part(own[-1]) if own else result.text

    def _size(self, name: str) -> str:
        for role in names.SIZE_ROLES.get(plain(name), ()):
            plainly = self.constructing or len(plain(name)) > 1 or role == "B"
            if role in tuple("BDHC") and role in self.space and plainly:
                return role
            if self.constructing and role in ("sizes", "hiddens"):
                return "[D, H, C]" if role == "sizes" else "[H]"
        return ""

    def _setting(self, name: str) -> str:
        roles = names.SETTING_ROLES.get(plain(name), ("",))
        text = NEUTRAL.get(roles[0], "")
        return text if text != NEUTRAL["dtype"] or "X" in self.given else ""

    # ── what a call left ─────────────────────────────────────────────────────

    def keep(self, function: Callee, result: Output) -> None:
        """Remember the parts of a result by the names in the function's `return`."""
        self.results.append(result)
        value = result.value
        if isinstance(value, Mapping):
            self._keep_items(value, result.text)
        elif isinstance(value, tuple | list):
            for labels in function.returns:
                if len(labels) == len(value):
                    for number, label in enumerate(labels):
                        if label and label not in DATA:
                            self.made[label] = result.part(number)
                    break
            for number, part in enumerate(value):
                if isinstance(part, Mapping):
                    self._keep_items(part, result.part(number), over=False)
        else:
            for node in function.returned_nodes:
                if isinstance(node, ast.Name):
                    self.made[node.id] = result.text

    def _keep_items(self, value: Mapping[Any, Any], text: str, *, over: bool = True) -> None:
        for key in value:
            if isinstance(key, str) and key not in DATA and (over or key not in self.made):
                self.made[key] = f"{text}[{key!r}]"


def settings_of(parameter: inspect.Parameter, function: Callee) -> str:
    """For `cfg: Config`, where that is a class of the candidate's that needs nothing: its call."""
    space = getattr(function.call, "__globals__", {})
    kind = parameter.annotation
    if isinstance(kind, str):
        kind = space.get(kind)
    if not isinstance(kind, type) or kind.__module__ != space.get("__name__"):
        return ""
    try:
        kind()
    except RAISED:
        return ""
    return f"{kind.__name__}()"
