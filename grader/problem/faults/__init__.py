"""The fault table: the reference with one step replaced, a row a defect that shows in numbers."""

from grader.problem.faults.backward_rows import DZ1_ROWS, DZ2_ROWS, LEAF_ROWS
from grader.problem.faults.flow import FORWARD_STEPS, LEAVES, RIGHT, Fault, Flow, forward
from grader.problem.faults.forward_rows import ACTIVATIONS, FORWARD_ROWS, with_own_log

__all__ = [
    "ACTIVATIONS",
    "DZ1_ROWS",
    "DZ2_ROWS",
    "FORWARD_ROWS",
    "FORWARD_STEPS",
    "LEAF_ROWS",
    "LEAVES",
    "RIGHT",
    "Fault",
    "Flow",
    "forward",
    "with_own_log",
]
