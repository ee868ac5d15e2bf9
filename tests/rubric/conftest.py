from pathlib import Path

import pytest

IDS = """
forward: runs loss scalar mean overflow underflow row_max gather bias shapes cache pure repeatable
forward: float32 edge_sizes numpy_only
backward: runs dW1_shape db1_shape dW2_shape db2_shape dX_shape dW1 db1 dW2 db2 dX batch_mean
backward: duplicate relu_mask relu_zero stable own_loss uses_cache repeatable float32 edge_sizes
backward: vectorised
pytorch: runs loss dW1 db1 dW2 db2 dX logits mean repeatable pure float64 graph autograd
verification: exists accepts covers refuses tight fd_accurate fd_catches fd_restores
explanations: forward_shapes backward_shapes
layers: linear relu loss composed state
submission: loads
"""


@pytest.fixture(scope="session")
def known() -> frozenset[str]:
    """The check ids, spelled out: a rename must be noticed, for published results name them."""
    lines = (line.split(":") for line in IDS.split("\n") if line)
    return frozenset(f"{part}.{name}" for part, names in lines for name in names.split())


@pytest.fixture(scope="session")
def rubrics() -> Path:
    return Path(__file__).parents[2] / "rubrics"
