"""pydantic's errors in our words: what is wrong; what to write instead."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from grader.rubric.contract import NAME
from grader.rubric.model import FORMAT, Deductions, RubricFile
from grader.rubric.problems import did_you_mean
from grader.yaml_data import quoted


def _leaves(annotation: object) -> Iterator[object]:
    """Yield what an annotation is made of: classes, and the values of its literals."""
    parts = get_args(annotation)
    if not parts:
        yield annotation
    for part in parts:
        yield from _leaves(part)


def _nested(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield each key below `model` that holds models, with the one that its entries follow."""
    for key, info in model.model_fields.items():
        for leaf in _leaves(info.annotation):
            if isinstance(leaf, type) and issubclass(leaf, BaseModel):
                yield key, leaf
                yield from _nested(leaf)


MODELS: dict[str, type[BaseModel]] = {
    "": RubricFile,
    "codes": Deductions,
    **dict(_nested(RubricFile)),
}
"""Which model the entries of a list or mapping follow; "" is the file itself."""

DEMANDS: tuple[tuple[str, Callable[[Mapping[str, object]], str]], ...] = (
    ("string_type", lambda _: "must be text (put it in quotes if YAML reads it otherwise)"),
    ("string_too_short", lambda _: "must not be blank"),
    ("string_too_long", lambda c: f"must have at most {c['max_length']} characters"),
    (
        "string_pattern_mismatch",
        lambda c: (
            "must be a name in Python, such as `Network.forward`"
            if c["pattern"] == NAME
            else "must be an id of a-z, 0-9, `-`, `_`, and dots between"
        ),
    ),
    ("float_type", lambda _: "must be a number"),
    ("int_type", lambda _: "must be a whole number"),
    ("finite_number", lambda _: "must be a finite number"),
    ("greater_than_equal", lambda c: f"must be at least {c['ge']:g}"),
    ("less_than_equal", lambda c: f"must be at most {c['le']:g}"),
    ("bool_type", lambda _: "must be true or false"),
    ("literal_error", lambda c: f"must be {c['expected']}"),
    ("tuple_type", lambda _: "must be a list"),
    ("dict_type", lambda _: "must be a mapping of keys to values"),
    ("model_type", lambda _: "must be a mapping of keys to values"),
    ("too_short", lambda _: "must have at least one entry"),
    ("too_long", lambda c: f"must have at most {c['max_length']} entries"),
)
"""By pydantic's error type: what a value must be, from the error's context."""


def sentence(error: ErrorDetails, file: type[BaseModel] = RubricFile) -> str:
    """Return one error as "what is wrong; what to write instead", without file and line.

    `file` is the model of the whole file.
    """
    loc, kind = error["loc"], error["type"]
    owner = _model_at(loc[:-1]) if loc[:-1] else file
    if kind == "extra_forbidden":
        key, known = str(loc[-1]), tuple(owner.model_fields)
        near = did_you_mean(key, known)
        instead = f"write `{near}`" if near else f"use one of {', '.join(known)}, or delete it"
        return f"unknown key {quoted(key)}; {instead}"
    if kind == "missing":
        return f"`{loc[-1]}` is missing; write for example `{_example(loc)}`"
    demand = dict(DEMANDS).get(kind)
    context = error.get("ctx", {})
    must = demand(context) if demand else f"is refused ({error['msg']})"
    near = did_you_mean(str(error["input"]), _options(loc, owner))
    instead = f"write `{loc[-1]}: {near}`" if near else f"write for example `{_example(loc)}`"
    return f"{_name(loc)} is {quoted(error['input'])}, but {must}; {instead}"


def _model_at(loc: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the model of the mapping at `loc`, by the last key on the way to it."""
    owner = next((step for step in reversed(loc) if isinstance(step, str)), "")
    return MODELS.get(owner, RubricFile)


def _options(loc: tuple[int | str, ...], owner: type[BaseModel]) -> list[str]:
    """Return the words that may stand at `loc`, where the model lists them."""
    info = owner.model_fields.get(str(loc[-1])) if loc else None
    return [leaf for leaf in _leaves(info.annotation) if isinstance(leaf, str)] if info else []


def _name(loc: tuple[int | str, ...]) -> str:
    """Return what a message calls the value: a key, an entry of a list, or the whole file."""
    if not loc:
        return "the rubric"
    if isinstance(loc[-1], str):
        return f"`{loc[-1]}`"
    return f"entry {loc[-1] + 1} of `{loc[-2]}`"


def _example(loc: tuple[int | str, ...]) -> str:
    """Return what to write at `loc`, from the examples of the nearest field."""
    while loc and loc[-1] not in _model_at(loc[:-1]).model_fields:
        loc = loc[:-1]
    if not loc:
        return f"rubric: {FORMAT}"
    info = _model_at(loc[:-1]).model_fields[str(loc[-1])]
    shown = info.examples[0] if info.examples else "…"
    text = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)
    return f"{loc[-1]}: {text}"
