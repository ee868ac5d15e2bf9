"""
Two-layer network for a categorical response, fitted by maximum likelihood.

Notation.  B observations, D covariates, H hidden units, C categories.
    Z1  = X W1 + 1 b1'          [B, H]
    H1  = max(Z1, 0)            [B, H]
    Eta = H1 W2 + 1 b2'         [B, C]   (linear predictor / logits)
    l_i = logsumexp(Eta_i) - Eta_{i, y_i}
    loss = mean_i l_i           scalar

Score.  With pi = softmax(Eta), d l_i / d Eta_i = pi_i - e_{y_i}; the mean contributes
1/B once, at the logits, and everything upstream inherits it by linearity.
"""
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Fit:
    X: np.ndarray
    y: np.ndarray
    W1: np.ndarray
    W2: np.ndarray
    Z1: np.ndarray
    H1: np.ndarray
    log_pi: np.ndarray


def _log_softmax(eta):
    shifted = eta - eta.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0.0)
    eta = H1 @ W2 + b2
    log_pi = _log_softmax(eta)
    nll = -log_pi[np.arange(len(y)), y]
    return nll.mean(), Fit(X, y, W1, W2, Z1, H1, log_pi)


def backward(fit):
    B, C = fit.log_pi.shape
    residual = np.exp(fit.log_pi)                # fresh array, safe to edit
    residual[np.arange(B), fit.y] -= 1.0
    dEta = residual / B                          # [B, C]

    dW2 = fit.H1.T @ dEta                        # [H, C]
    db2 = dEta.sum(axis=0)                       # [C]
    dH1 = dEta @ fit.W2.T                        # [B, H]

    # subgradient of relu at 0 is taken to be 0 (this is also what torch does)
    dZ1 = np.where(fit.Z1 > 0, dH1, 0.0)         # [B, H]
    dW1 = fit.X.T @ dZ1                          # [D, H]
    db1 = dZ1.sum(axis=0)                        # [H]
    dX = dZ1 @ fit.W1.T                          # [B, D]

    score = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}
    return score


def autograd_score(X, y, W1, b1, W2, b2):
    leaves = {
        k: torch.tensor(v, requires_grad=True)
        for k, v in dict(W1=W1, b1=b1, W2=W2, b2=b2, X=X).items()
    }
    hidden = torch.relu(leaves["X"] @ leaves["W1"] + leaves["b1"])
    eta = hidden @ leaves["W2"] + leaves["b2"]
    nll = torch.nn.functional.nll_loss(
        torch.log_softmax(eta, dim=1), torch.as_tensor(y, dtype=torch.int64), reduction="mean"
    )
    nll.backward()
    return nll.item(), {k: v.grad.numpy() for k, v in leaves.items()}


def relative_error(a, b):
    scale = max(np.abs(a).max(), np.abs(b).max(), np.finfo(float).tiny)
    return np.abs(a - b).max() / scale


def directional_check(X, y, W1, b1, W2, b2, h=1e-6, n_dir=20, seed=0):
    """Central differences along random directions in the joint parameter space."""
    rng = np.random.default_rng(seed)
    theta = {k: np.asarray(v, dtype=np.float64) for k, v in dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2).items()}
    _, fit = forward(y=y, **theta)
    g = backward(fit)
    worst = 0.0
    for _ in range(n_dir):
        for k in theta:
            v = rng.standard_normal(theta[k].shape)
            v /= np.linalg.norm(v)
            up = forward(y=y, **{**theta, k: theta[k] + h * v})[0]
            dn = forward(y=y, **{**theta, k: theta[k] - h * v})[0]
            num = (up - dn) / (2 * h)
            ana = np.sum(g[k] * v)
            worst = max(worst, abs(num - ana) / max(abs(num), abs(ana), 1e-4))
    return worst


def verify(seed=20240611):
    rng = np.random.default_rng(seed)
    B, D, H, C = 9, 6, 11, 4
    X = rng.standard_normal((B, D))
    y = rng.integers(C, size=B)
    W1 = rng.standard_normal((D, H)) / np.sqrt(D)
    b1 = rng.standard_normal(H)
    W2 = rng.standard_normal((H, C)) / np.sqrt(H)
    b2 = rng.standard_normal(C)

    loss, fit = forward(X, y, W1, b1, W2, b2)
    mine = backward(fit)
    loss_t, auto = autograd_score(X, y, W1, b1, W2, b2)
    errors = {k: relative_error(mine[k], auto[k]) for k in ("W1", "b1", "W2", "b2", "X")}
    return bool(np.isclose(loss, loss_t, rtol=1e-12)) and all(e < 1e-10 for e in errors.values())


if __name__ == "__main__":
    print("manual == autograd:", verify())
