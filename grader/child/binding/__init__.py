"""Binds whatever style a candidate used to the contract's four functions (child's side).

Where the course describes its own skeleton, its calls are made (`described`).
A submission's own functions are used as they are where they are the contract's. Elsewhere the
source is read for what could be called (`source`, `names`), each style proposes ways of calling
it (`functions`, `variables`, `classes`, `layers`, `modules`, `verify`), and `search` tries them
on a small case. A way is a `flow.Flow` (`tensors.TorchFlow`): it encodes the arguments
(`layout`), looks up what each parameter asks for (`environment`), and finds loss and gradients
in what comes back (`returns`, `updates`).
"""

from grader.child.binding import (
    absence,
    binder,
    canonical,
    classes,
    containers,
    described,
    environment,
    flow,
    functions,
    held,
    kit,
    layers,
    layout,
    modules,
    names,
    pieces,
    places,
    returns,
    search,
    source,
    tensors,
    torch_search,
    trial,
    updates,
    variables,
    verify,
    working,
)
from grader.child.binding.binder import Binding, bind
from grader.child.binding.working import works

MODULES = (
    *(absence, binder, canonical, classes, containers, described, environment, flow, functions),
    *(held, working, kit, layers, layout, modules, names, pieces, places, returns, search, source),
    *(tensors, torch_search, trial, updates, variables, verify),
)
FILES = (*(str(module.__file__) for module in MODULES), described.LINES_FILE)
"""Hidden from tracebacks: a candidate is shown the candidate's own lines."""

__all__ = ["FILES", "Binding", "bind", "works"]
