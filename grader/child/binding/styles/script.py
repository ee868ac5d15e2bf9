"""Style: an answer written straight down, at module level or in a function without arguments.

    Z1 = X @ W1 + b1; …; loss = …; dW1 = X.T @ dZ1; …

The statements that loss and gradients depend on are run on other inputs, in two parts.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import replace

from grader.child.binding import names
from grader.child.binding.language.containers import WeightForm
from grader.child.binding.language.layout import layouts
from grader.child.binding.script.flow import Block, blocks
from grader.child.binding.script.parts import Parts, by_autograd, by_hand
from grader.child.binding.script.reader import Reader
from grader.child.binding.script.run import Script
from grader.child.binding.script.sizes import sizes_of
from grader.child.binding.source import Callee, Source
from grader.child.binding.trial import RAISED, small_case
from grader.child.binding.writer import Draft

NOTHING = "statements"
"""What a backward pass lacks that is not there: there is nothing to call."""

SCRIPT = "script"
"""The variable of what runs the statements."""


def drafts(source: Source, fixed: Mapping[str, str]) -> Iterator[Draft]:
    """Yield the hand-written part as two calls; nothing where functions are named."""
    for block in () if fixed else _blocks(source):
        reader = Reader(block, source.torch_names)
        parts = by_hand(reader)
        if parts is None:
            continue
        script = _script(source, reader, parts)
        text = {key: key for key in parts.gradients}
        stages = (
            _stage(script, "forward", parts, parts.forward, "loss, cache"),
            _stage(script, "backward", parts, parts.backward, str(text).replace("'", '"')),
        )
        form = _form(reader, parts)
        yield Draft(stages, 1, _title(parts), names={SCRIPT: script}, container=form)


def torch_drafts(source: Source, fixed: Mapping[str, str]) -> Iterator[Draft]:
    """Yield the PyTorch part as one call; nothing where a function is named."""
    for block in () if fixed else _blocks(source):
        reader = Reader(block, source.torch_names)
        parts = by_autograd(reader)
        if parts is None:
            continue
        tensors = bool(reader.tensors & {*parts.inputs})
        script = _script(source, reader, parts)
        draft = Draft((), 1, _title(parts), names={SCRIPT: script}, torch=True, tensors=tensors)
        for layout in layouts(one_hot=False):
            leaves = _leaves(source, script, replace(draft, layout=layout))
            if len(leaves) + len(parts.gradients) >= 2:
                found = replace(script, leaves=leaves)
                stage = _stage(found, "autograd", parts, parts.forward, "loss, gradients")
                yield replace(
                    draft, stages=(stage,), names={SCRIPT: found}, layout=layout, fixed=True
                )
                break


def _leaves(source: Source, script: Script, draft: Draft) -> dict[str, str]:
    """Return where autograd leaves each gradient, seen on the small case."""
    try:
        space = draft.adapter(source.module).begin(small_case())
        return script.filled(*(space[script.sizes.roles.get(n, n)] for n in script.parts.inputs))
    except RAISED:
        return {}


def _path(source: Source) -> str:
    """Return the file in which the statements stand: the main one."""
    path = getattr(source.module, "__file__", None)
    return path if path in source.trees else next(iter(source.trees), "")


def _blocks(source: Source) -> Iterator[Block]:
    if tree := source.trees.get(_path(source)):
        yield from blocks(tree)


def _script(source: Source, reader: Reader, parts: Parts) -> Script:
    sizes = sizes_of(reader.block, reader.roles, parts.inputs, reader.containers)
    return Script(source.module, _path(source), parts, sizes, source.weave)


def _stage(
    script: Script, name: str, parts: Parts, indices: tuple[int, ...], returned: str
) -> Callee:
    """Return the call of some statements, as a function that returns what is written."""
    given = _parameters(script) if name != "backward" else ("cache",)
    if name == "backward" and not parts.gradients:
        given = ("cache", NOTHING)
    text = f"def {name}({', '.join(given)}):\n    return {returned}"
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    ast.increment_lineno(node, _line(parts, indices) - 1)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = tuple(inspect.Parameter(n, kind) for n in given)
    return Callee(name, getattr(script, name), node, parameters, owner=SCRIPT)


def _form(reader: Reader, parts: Parts) -> WeightForm | None:
    """Return the dictionary of weights, if the script has one."""
    keys = next((reader.containers[n] for n in parts.inputs if n in reader.containers), None)
    if keys is None:
        return None
    return WeightForm(f"{{{', '.join(f'{key!r}: {role}' for role, key in keys.items())}}}")


def _parameters(script: Script) -> tuple[str, ...]:
    """Return the script's own names of its inputs, or the contract's where they say less."""
    own, roles = script.parts.inputs, script.sizes.roles
    said = names.data_roles(own)
    return (
        own
        if all(said.get(n) == roles.get(n, n) for n in own)
        else tuple(roles.get(n, n) for n in own)
    )


def _line(parts: Parts, indices: tuple[int, ...]) -> int:
    return parts.block.statements[indices[0] if indices else -1].lineno


def _title(parts: Parts) -> str:
    """Return `statements in lines 10 to 30`."""
    lines = [parts.block.statements[i] for i in (*parts.forward, *parts.backward)]
    ends = [s.end_lineno or s.lineno for s in lines]
    return f"statements in lines {min(s.lineno for s in lines)} to {max(ends)}"
