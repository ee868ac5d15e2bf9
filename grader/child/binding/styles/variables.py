"""Style: functions that read the weights from module level, as notebooks do.

    W1 = np.random.randn(D, H); …
    def forward(X): return …          def backward(X, y): …

The module's variables are given the weights anew before each forward and each backward, so
that the two see the same ones, whatever was called in between.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from grader.child.binding import names
from grader.child.binding.language import places
from grader.child.binding.source import Callee, Source
from grader.child.binding.writer import Draft
from grader.source.trees import walk


def drafts(source: Source, fixed: Mapping[str, str]) -> Iterator[Draft]:
    """Yield a forward and a backward among those that read the weights, or one that is both."""
    variables = _variables(source)
    if not {"W1", "W2"} <= set(variables):
        return
    weights = {variables["W1"], variables["W2"]}
    usable = [f for f in source.functions if not f.torch and "aside" not in f.kinds]
    reading = [f for f in usable if _free_names(f) & weights]
    losses = [f for f in usable if "loss" in f.kinds and f not in reading]
    backwards = [f for f in usable if "backward" in f.kinds]
    backwards.sort(key=lambda f: f not in reading)
    title = f"functions on the variables {', '.join(variables.values())}"

    def draft(*stages: Callee, cut: int) -> Draft:
        return Draft(stages, cut, title, weights=variables)

    for forward in (f for f in reading if f.kinds & {"forward", "loss"} or not f.kinds):
        if fixed.get("forward", forward.name) != forward.name:
            continue
        for backward in backwards:
            for loss in losses:
                yield draft(forward, loss, backward, cut=2)
            yield draft(forward, backward, cut=1)
    for one in (f for f in reading if f.kinds & {"both", "loss", "train"}):
        yield draft(one, cut=1)


def _variables(source: Source) -> dict[str, str]:
    """Return the contract's names → the module's variables of these roles."""
    space = vars(source.module)
    arrays = [n for n, v in space.items() if places.is_array(v) and not n.startswith("_")]
    found: dict[str, str] = {}
    for name, role in names.data_roles(arrays).items():
        found.setdefault(role, name)
    return found


def _free_names(function: Callee) -> set[str]:
    nodes = walk(function.node) if function.node else ()
    return {n.id for n in nodes if isinstance(n, ast.Name)} - set(function.names)
