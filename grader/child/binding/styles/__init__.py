"""The styles in which people write an answer; each proposes ways to call one.

A style is a module with `drafts(source, fixed)`: the ways to call an answer written so, the
likeliest first. `fixed` has the names that a `submission.yaml` gives. A new style is one file
more, and its place in one of the tuples.
"""

from grader.child.binding.styles import (
    classes,
    functions,
    layers,
    modules,
    script,
    variables,
)

NUMPY = (functions.drafts, classes.drafts, variables.drafts)
"""Where a hand-written network is looked for, in this order."""

LOOSE = (script.drafts, layers.drafts)
"""Where it is looked for when no function of its own is one."""

TORCH = (modules.drafts,)
"""Where a PyTorch part is looked for."""

LOOSE_TORCH = (script.torch_drafts,)
"""Where it is looked for when no function or class of its own is one."""
