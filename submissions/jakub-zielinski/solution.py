import numpy as np
import torch


def forward(X, y, W1, b1, W2, b2):
    Z1 = np.einsum("bd,dh->bh", X, W1) + b1
    H1 = np.maximum(Z1, 0)
    Z2 = np.einsum("bh,hc->bc", H1, W2) + b2
    S = Z2 - Z2.max(axis=1, keepdims=True)
    E = np.exp(S)
    P = E / E.sum(axis=1, keepdims=True)
    picked = S[np.arange(y.size), y] - np.log(E.sum(axis=1))
    loss = picked.mean()
    return loss, {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": P}


def backward(cache):
    y, P = cache["y"], cache["P"]
    G = P.copy()
    np.subtract.at(G, (np.arange(y.size), y), 1.0)
    G = G / y.size
    dW2 = np.einsum("bh,bc->hc", cache["H1"], G)
    db2 = G.sum(axis=0)
    dH1 = np.einsum("bc,hc->bh", G, cache["W2"])
    dZ1 = dH1 * (cache["Z1"] > 0)
    dW1 = np.einsum("bd,bh->dh", cache["X"], dZ1)
    db1 = dZ1.sum(axis=0)
    dX = np.einsum("bh,dh->bd", dZ1, cache["W1"])
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    x, w1, v1, w2, v2 = (torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2))
    Z2 = torch.relu(x @ w1 + v1) @ w2 + v2
    loss = torch.logsumexp(Z2, dim=1).sub(Z2.gather(1, torch.tensor(y).long()[:, None])[:, 0]).mean()
    loss.backward()
    return loss.item(), {"W1": w1.grad, "b1": v1.grad, "W2": w2.grad, "b2": v2.grad, "X": x.grad}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    hand = backward(cache)
    _, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    return {name: np.allclose(hand[name], auto[name].detach().numpy(), rtol=1e-7) for name in hand}
