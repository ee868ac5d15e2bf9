"""What a call of the candidate's can be given, looked up by the names of its parameters."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.child.binding import names, places
from grader.child.binding.containers import Container
from grader.child.binding.names import WEIGHTS, plain
from grader.child.binding.source import Function
from grader.child.binding.trial import RAISED

MISSING = object()
NEUTRAL: Mapping[str, Any] = {
    "off": 0.0, "one": 1, "seed": 0, "small": 1e-2, "no": False, "yes": True,
}  # fmt: skip
"""Settings that leave the network as the contract has it: no penalty, no dropout, one step."""


class Unbindable(Exception):
    """A parameter for which there is nothing to give."""

    def __init__(self, function: Function, parameter: str) -> None:
        super().__init__(f"{function.heading} needs `{parameter}`")
        self.function, self.parameter = function, parameter


@dataclass
class Environment:
    """Arguments by role (`X`, `W1`, …, `D`, `lr`), and what earlier calls returned by its name."""

    given: dict[str, Any]
    sizes: dict[str, int]
    container: Container | None = None
    made: dict[str, Any] = field(default_factory=dict)
    results: list[Any] = field(default_factory=list)
    rate: float = 1.0
    cache_whole: bool = False
    constructing: bool = False
    used: dict[str, Any] = field(default_factory=dict)
    """What calls after the first were given of `made`: that is the cache."""

    def copy(self) -> Environment:
        """Another environment that shares the arrays, for a call that must leave no trace."""
        return Environment(
            dict(self.given), self.sizes, self.container, dict(self.made), list(self.results),
            self.rate, self.cache_whole, self.constructing, self.used,
        )  # fmt: skip

    # ── a call ───────────────────────────────────────────────────────────────

    def call(self, function: Function, target: Any) -> Any:
        """Call `target` with what `function`'s parameters ask for; keeps and gives the result."""
        positional, keyword = self.arguments(function)
        result = target(*positional, **keyword)
        self.keep(function, result)
        return result

    def arguments(self, function: Function) -> tuple[list[Any], dict[str, Any]]:
        """Values for the parameters. Raises `Unbindable`."""
        roles = names.data_roles(function.names)
        positional: list[Any] = []
        keyword: dict[str, Any] = {}
        skipped = False
        unknown = self._by_position(function, roles)
        for parameter in function.parameters:
            value = self._value(parameter, roles.get(parameter.name, ""), function)
            if value is MISSING:
                value = unknown.get(parameter.name, MISSING)
            if value is MISSING:
                if parameter.default is inspect.Parameter.empty:
                    raise Unbindable(function, parameter.name)
                skipped = True
            elif skipped or parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                keyword[parameter.name] = value
            else:
                positional.append(value)
        return positional, keyword

    def _by_position(self, function: Function, roles: Mapping[str, str]) -> dict[str, Any]:
        """For parameters under names that say nothing: in a constructor the sizes in their order.

        Elsewhere a single one: of a loss what the forward gave, of a backward its cache, else
        the input, if that is not given under its own name.
        """
        needed = [p.name for p in function.parameters if p.default is inspect.Parameter.empty]
        if self.constructing:
            strange = [
                n for n in needed if self._setting(n) is MISSING and self._size(n) is MISSING
            ]
            if len(needed) >= 3 and strange and needed[:3] != strange[:3]:
                return {}
            return dict(zip(strange, (self.sizes[s] for s in "DHC"), strict=False))
        strange = [n for n in needed if n not in roles and self._is_strange(n)]
        if len(strange) != 1:
            return {}
        if "loss" in function.kinds and self.results:
            value = self._by_example_and_class(self.results[-1])
            return {} if value is None else {strange[0]: value}
        if (
            len(needed) == 1
            and self.results
            and ("backward" in function.kinds or function.names_gradients)
        ):
            return {strange[0]: self._cache()}
        if "X" in roles.values() or "X" not in self.given or self.results:
            return {}
        return {strange[0]: self.given["X"]}

    def _is_strange(self, name: str) -> bool:
        return not any(
            plain(name) in table
            for table in (names.PASSED_ROLES, names.SETTING_ROLES, names.SIZE_ROLES)
        ) and all(plain(name) != plain(n) for n in self.made)

    def _value(self, parameter: inspect.Parameter, role: str, function: Function) -> Any:
        name = parameter.name
        if self.constructing:
            order: tuple[Any, ...] = (self._size, self._weights, self._setting)
            for look in order:
                if (value := look(name)) is not MISSING:
                    return self._unless_default(parameter, value, look)
            return self.given.get(role, MISSING) if role in WEIGHTS else MISSING
        if (value := self._made(name)) is not MISSING:
            return value
        if role in self.given:
            return self.given[role]
        for look in (self._weights, self._passed, self._setting, self._size):
            if (value := look(name)) is not MISSING:
                return self._unless_default(parameter, value, look)
        if parameter.default is inspect.Parameter.empty:
            return settings_of(parameter, function)
        return MISSING

    def _unless_default(self, parameter: inspect.Parameter, value: Any, look: Any) -> Any:
        """A setting's own default stays, but for what has to be turned off."""
        if look == self._setting and parameter.default is not inspect.Parameter.empty:
            roles = names.SETTING_ROLES.get(plain(parameter.name), ())
            turned = bool({"off", "lr"} & set(roles)) or plain(parameter.name) in _ONCE
            if "dtype" in roles:
                return value
            return value if turned and isinstance(parameter.default, int | float) else MISSING
        return value

    # ── where a value comes from ─────────────────────────────────────────────

    def _made(self, name: str) -> Any:
        if name in self.made:
            return self._use(name, self.made[name])
        wanted = plain(name)
        for other, value in self.made.items():
            if plain(other) == wanted:
                return self._use(other, value)
        return MISSING

    def _use(self, name: str, value: Any) -> Any:
        if self.results and plain(name) not in ("params", "parameters", "weights"):
            self.used[name] = value
        return value

    def _weights(self, name: str) -> Any:
        roles = names.PASSED_ROLES.get(plain(name), ())
        if not ({"params", "biases"} & set(roles)):
            return MISSING
        if "biases" in roles and "b1" in self.given:
            return [self.given["b1"], self.given["b2"]]
        if self.container is None or "W1" not in self.given:
            return MISSING
        return self.container.holding(self.given)

    def _passed(self, name: str) -> Any:
        """Something of an earlier call under another name of the same role."""
        roles = names.PASSED_ROLES.get(plain(name), ())
        for role in roles:
            if role == "cache" and self.results:
                return self._cache()
            for other, value in reversed(list(self.made.items())):
                if role in names.PASSED_ROLES.get(plain(other), ()):
                    return self._use(other, value)
        if {"P", "Z2", "dZ2"} & set(roles):
            for result in reversed(self.results):
                if (value := self._by_example_and_class(result)) is not None:
                    return self._use(name, value)
        return MISSING

    def _by_example_and_class(self, result: Any) -> Any:
        """The last array of a result with a number for each example and class, as P has them."""
        parts = result if isinstance(result, tuple | list) else [result]
        wanted = {self.sizes["B"], self.sizes["C"]}
        fits = [p for p in parts if places.is_array(p) and set(places.shape(p)) == wanted]
        return fits[-1] if fits and len(places.shape(fits[-1])) == 2 else None

    def _cache(self) -> Any:
        """What the first call kept for the second: the last of its parts that is no number."""
        result = self.results[0]
        part = result
        if isinstance(result, tuple) and type(result) is tuple and not self.cache_whole:
            parts = [p for p in result if not places.is_array(p) and not places.is_number(p)]
            part = parts[-1] if parts else result
        self.used["cache"] = part
        return part

    def _size(self, name: str) -> Any:
        roles = names.SIZE_ROLES.get(plain(name), ())
        for role in roles:
            if role in self.sizes and (self.constructing or len(plain(name)) > 1 or role == "B"):
                return self.sizes[role]
            if self.constructing and role == "sizes":
                return [self.sizes[s] for s in "DHC"]
            if self.constructing and role == "hiddens":
                return [self.sizes["H"]]
        return MISSING

    def _setting(self, name: str) -> Any:
        for role in names.SETTING_ROLES.get(plain(name), ()):
            if role == "lr":
                return self.rate
            if role == "dtype":
                return self.given["X"].dtype if "X" in self.given else MISSING
            return NEUTRAL[role]
        return MISSING

    # ── what a call left ─────────────────────────────────────────────────────

    def keep(self, function: Function, result: Any) -> None:
        """Remember the parts of a result by the names in the function's `return`."""
        self.results.append(result)
        if isinstance(result, Mapping):
            self.made |= {str(k): v for k, v in result.items() if str(k) not in self.given}
        elif isinstance(result, tuple | list):
            for labels in function.returns:
                if len(labels) == len(result):
                    own = {n: v for n, v in zip(labels, result, strict=True) if n}
                    self.made |= {n: v for n, v in own.items() if n not in self.given}
                    break
            for part in result:
                if isinstance(part, Mapping):
                    for key, value in part.items():
                        self.made.setdefault(str(key), value) if str(
                            key
                        ) not in self.given else None
        else:
            for node in function.returned_nodes:
                label = node.id if isinstance(node, ast.Name) else ""
                if label:
                    self.made[label] = result


def settings_of(parameter: inspect.Parameter, function: Function) -> Any:
    """For `cfg: Config`, where that is a class of the candidate's that needs nothing: one."""
    space = getattr(function.call, "__globals__", {})
    kind = parameter.annotation
    if isinstance(kind, str):
        kind = space.get(kind)
    if not isinstance(kind, type) or kind.__module__ != space.get("__name__"):
        return MISSING
    try:
        return kind()
    except RAISED:
        return MISSING


_ONCE = frozenset(w for w, roles in names.SETTING_ROLES.items() if "one" in roles)
