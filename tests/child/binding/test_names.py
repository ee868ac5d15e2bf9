"""What names are taken to mean."""

from __future__ import annotations

import pytest

from grader.child.binding import names


@pytest.mark.parametrize(
    ("written", "roles"),
    [
        ("X y W1 b1 W2 b2", "X y W1 b1 W2 b2"), ("x labels w_1 b_1 w_2 b_2", "X y W1 b1 W2 b2"),
        ("inputs targets weights1 bias1 weights2 bias2", "X y W1 b1 W2 b2"),
        ("X_batch y_true W_h b_h W_o b_o", "X y W1 b1 W2 b2"), ("X Y W0 b0 W1 b1", "X y W1 b1 W2 b2"),
    ],
)  # fmt: skip
def test_arguments(written: str, roles: str) -> None:
    found = names.data_roles(written.split())
    assert [found.get(n) for n in written.split()] == roles.split()


@pytest.mark.parametrize(
    ("written", "tensor", "says"),
    [
        ("dW1", "W1", True), ("grad_w1", "W1", True), ("dL_dW1", "W1", True), ("W1.grad", "W1", True),
        ("W1_grad", "W1", True), ("W1", "W1", False), ("db2", "b2", True), ("dX", "X", True),
        ("d_inputs", "X", True), ("gradient_b_1", "b1", True), ("dZ1", "", False), ("loss", "", False),
        ("nabla_W2", "W2", True), ("dJdW2", "W2", True), ("accuracy", "", False), ("dW1_np", "W1", True),
    ],
)  # fmt: skip
def test_gradients(written: str, tensor: str, says: bool) -> None:
    found, explicit = names.gradient_of(written)
    assert found == tensor
    assert not tensor or explicit is says


def test_counting_from_zero() -> None:
    assert names.from_zero(["dW0", "dW1"])
    assert not names.from_zero(["dW0", "dW1", "dW2"])
    assert names.gradient_of("dW0", zero=True) == ("W1", True)
    assert names.gradient_of("db1", zero=True) == ("b2", True)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("forward_pass", "forward"), ("feedforward", "forward"), ("backprop", "backward"),
        ("backward_propagation", "backward"), ("back_propagation", "backward"), ("forward_backward", "both"),
        ("loss_and_grads", "both"), ("compute_cost", "loss"), ("train_step", "train"), ("test_forward", "aside"),
        ("numerical_gradient", "aside"), ("init_params", "aside"), ("relu_backward", "layer"),
    ],
)  # fmt: skip
def test_kinds_of_functions(name: str, kind: str) -> None:
    assert kind in names.kinds(name)
