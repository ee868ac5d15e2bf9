import numpy as np

from mlp import backward, forward, torch_forward_backward


def problem(seed=0, B=7, D=5, H=8, C=4):
    rng = np.random.default_rng(seed)
    return (
        rng.standard_normal((B, D)), rng.integers(0, C, B),
        rng.standard_normal((D, H)), rng.standard_normal(H),
        rng.standard_normal((H, C)), rng.standard_normal(C),
    )


def both(args):
    loss, cache = forward(*args)
    return (loss, backward(cache)), torch_forward_backward(*args)


def test_loss():
    (loss, _), (loss_t, _) = both(problem())
    assert abs(loss - loss_t) < 1e-10


def test_shapes():
    args = problem()
    (_, g), _ = both(args)
    X, _, W1, b1, W2, b2 = args
    for name, value in dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2).items():
        assert g[name].shape == value.shape


def test_gradients():
    for seed in range(5):
        (_, g), (_, gt) = both(problem(seed))
        for name in ["W1", "b1", "W2", "b2", "X"]:
            assert (
                np.allclose(g[name], gt[name].numpy(), rtol=1e-6, atol=1e-9),
                f"gradient of {name} does not match autograd",
            )


if __name__ == "__main__":
    test_loss()
    test_shapes()
    test_gradients()
    print("3 passed")
