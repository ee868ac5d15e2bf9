"""Run with `pytest` or `python test_network.py`."""
import numpy as np

from network import TwoLayerNet, autograd_reference, numerical_gradient


def make_problem(B, D, H, C, seed):
    rng = np.random.default_rng(seed)
    return dict(
        X=rng.standard_normal((B, D)), y=rng.integers(0, C, B),
        W1=rng.standard_normal((D, H)), b1=rng.standard_normal(H),
        W2=rng.standard_normal((H, C)), b2=rng.standard_normal(C),
    )


def run_manual(X, y, W1, b1, W2, b2):
    net = TwoLayerNet(W1, b1, W2, b2)
    loss = net.forward(X, y)
    return loss, net.backward()


def test_against_autograd():
    for seed, (B, D, H, C) in enumerate([(5, 4, 6, 3), (3, 7, 2, 5), (4, 4, 4, 4), (1, 2, 3, 2)]):
        p = make_problem(B, D, H, C, seed)
        loss, g = run_manual(**p)
        loss_t, gt = autograd_reference(**p)
        assert np.isclose(loss, loss_t, rtol=1e-10, atol=1e-12)
        for name in ("dW1", "db1", "dW2", "db2", "dX"):
            assert g[name].shape == tuple(gt[name].shape)
            np.testing.assert_allclose(g[name], gt[name].numpy(), rtol=1e-8, atol=1e-11, err_msg=name)


def test_against_finite_differences():
    p = make_problem(4, 3, 5, 3, seed=11)
    _, g = run_manual(**p)
    for name in ("W1", "b1", "W2", "b2", "X"):
        num = numerical_gradient(lambda a: run_manual(**{**p, name: a})[0], p[name])
        np.testing.assert_allclose(g["d" + name], num, rtol=1e-5, atol=1e-8, err_msg=name)


def test_huge_logits():
    p = make_problem(6, 3, 5, 4, seed=2)
    p["W2"] = p["W2"] * 1e4
    loss, g = run_manual(**p)
    assert np.isfinite(loss) and all(np.isfinite(v).all() for v in g.values())


if __name__ == "__main__":
    test_against_autograd()
    test_against_finite_differences()
    test_huge_logits()
    print("all tests passed")
