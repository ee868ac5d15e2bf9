"""The fault table: the reference with one step replaced, a row a defect that shows in numbers."""

from grader.defects.faults.activations import ACTIVATIONS
from grader.defects.faults.backward_rows import (
    DH1_ROWS,
    DZ1_ROWS,
    DZ2_ROWS,
    LEAF_ROWS,
    P_ROWS,
    UNSTABLE_P,
)
from grader.defects.faults.forward_rows import FORWARD_ROWS, with_own_log
from grader.defects.faults.layer_rows import (
    LAYER_ROWS,
    OWN_GRADIENT,
    LayerFault,
    other_activation,
    with_probabilities,
)
from grader.defects.faults.own import own_dZ2
from grader.problem.network import (
    FORWARD_STEPS,
    LEAVES,
    RIGHT,
    Fault,
    Flow,
    forward,
    resumed,
)

__all__ = [
    "ACTIVATIONS",
    "DH1_ROWS",
    "DZ1_ROWS",
    "DZ2_ROWS",
    "FORWARD_ROWS",
    "FORWARD_STEPS",
    "LAYER_ROWS",
    "LEAF_ROWS",
    "LEAVES",
    "OWN_GRADIENT",
    "P_ROWS",
    "RIGHT",
    "UNSTABLE_P",
    "Fault",
    "Flow",
    "LayerFault",
    "forward",
    "other_activation",
    "own_dZ2",
    "resumed",
    "with_own_log",
    "with_probabilities",
]
