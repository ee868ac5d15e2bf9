"""Puts a submission's own finite-difference check to the test (child's side).

Runs after the steps, on a load of its own. It looks for the check, calls it on small inputs,
notes at which points near them the loss is taken, and calls it again and again, each time with
one gradient of the hand-written side spoiled. What it says is hearsay, as in `verifying`: the
judge chose the inputs and how to spoil, and it compares and concludes.
"""

from grader.child.differencing.trials import examine

__all__ = ["examine"]
