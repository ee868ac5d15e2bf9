"""The numbers of a rubric that marks can inform: its band thresholds, and its factors.

They are read with their places in the file, so that a changed number leaves all else as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import yaml

Key: TypeAlias = tuple[str | int, ...]
"""The way to a number: ("bands", 0, "at_least"), ("factors", "codes", "loss-sign")."""

BANDS, THRESHOLD, FACTORS = "bands", "at_least", "factors"
POWER = (FACTORS, "further")
"""No factor: the power to which the factors of further mistakes count; it is not fitted."""


@dataclass(frozen=True, slots=True)
class RubricNumber:
    """A number of the rubric; it stands at the characters `start` to `end` of the file."""

    key: Key
    value: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RubricWeights:
    """What is fitted. `thresholds` are per cent and ascend, without the lowest band's 0.

    `factors` are what is left of a score after one mistake, in [0, 1], by key.
    """

    thresholds: tuple[float, ...]
    factors: Mapping[Key, float]

    def values(self) -> dict[Key, float]:
        """Return every number by its key."""
        last = len(self.thresholds) - 1
        bands: dict[Key, float] = {
            (BANDS, last - at, THRESHOLD): v for at, v in enumerate(self.thresholds)
        }
        return {**bands, **self.factors}


def rubric_numbers(text: str) -> tuple[RubricNumber, ...]:
    """Return the numbers of a valid rubric file that can be fitted, in the file's order."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    found = (number for number in _numbers(root, ()) if _is_fitted(number.key))
    return tuple(sorted(found, key=lambda number: number.start))


def _is_fitted(key: Key) -> bool:
    return (key[0] == FACTORS and key != POWER) or (key[0] == BANDS and key[-1] == THRESHOLD)


def _numbers(node: yaml.Node | None, key: Key) -> Iterator[RubricNumber]:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield from _numbers(value, (*key, name.value))
    elif isinstance(node, yaml.SequenceNode):
        for at, value in enumerate(node.value):
            yield from _numbers(value, (*key, at))
    elif isinstance(node, yaml.ScalarNode) and key and _is_number(node):
        yield RubricNumber(key, float(node.value), node.start_mark.index, node.end_mark.index)


def _is_number(node: yaml.ScalarNode) -> bool:
    return node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def rubric_weights(text: str) -> RubricWeights:
    """Return the fitted numbers of a valid rubric file as they are now."""
    values = {number.key: number.value for number in rubric_numbers(text)}
    thresholds = sorted(value for key, value in values.items() if key[0] == BANDS)
    factors = {key: value for key, value in values.items() if key[0] == FACTORS}
    return RubricWeights(tuple(thresholds[1:]), factors)


def rewritten(text: str, weights: RubricWeights) -> str:
    """Return the file with other numbers in their places; all else stays, byte for byte."""
    new = weights.values()
    for number in reversed(rubric_numbers(text)):
        value = new.get(number.key, number.value)
        if value != number.value:
            text = f"{text[: number.start]}{value:g}{text[number.end :]}"
    return text
