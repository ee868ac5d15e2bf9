"""The styles in which people write an answer; each proposes ways to call one.

A style is a module with `drafts(source, fixed)`: the ways to call an answer written so, the
likeliest first. `fixed` has the names that a `submission.yaml` gives. A new style is one file
more, and its place in one of the tuples.
"""

from grader.child.binding.styles import classes, functions, layers, modules, variables

NUMPY = (functions.drafts, classes.drafts, variables.drafts)
"""Where a hand-written network is looked for, in this order."""

LOOSE = (layers.drafts,)
"""Where it is looked for when nothing puts its layers together."""

TORCH = (modules.drafts,)
"""Where a PyTorch part is looked for."""
