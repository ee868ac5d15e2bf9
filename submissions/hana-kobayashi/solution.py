import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    z1 = X @ W1 + b1
    h1 = z1 * (z1 > 0)
    z2 = h1 @ W2 + b2
    z2 = z2 - z2.max(axis=1, keepdims=True)
    exp = np.exp(z2)
    total = exp.sum(axis=1, keepdims=True)
    loss = (np.log(total[:, 0]) - z2[np.arange(len(y)), y]).mean()
    return loss, {"X": X, "y": y, "z1": z1, "h1": h1, "p": exp / total, "W1": W1, "W2": W2}


def backward(cache):
    X, y, p = cache["X"], cache["y"], cache["p"]
    dz2 = p - np.eye(p.shape[1], dtype=p.dtype)[y]
    dz2 = dz2 / len(y)
    dz1 = dz2 @ cache["W2"].T
    dz1[cache["z1"] <= 0] = 0
    return {
        "W1": X.T @ dz1,
        "b1": dz1.sum(axis=0),
        "W2": cache["h1"].T @ dz2,
        "b2": dz2.sum(axis=0),
        "X": dz1 @ cache["W1"].T,
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    Xt, W1t, b1t, W2t, b2t = (torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2))
    loss = F.cross_entropy(F.relu(Xt @ W1t + b1t) @ W2t + b2t, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {
        "W1": W1t.grad, "b1": b1t.grad, "W2": W2t.grad, "b2": b2t.grad, "X": Xt.grad,
    }


def verify(X, y, W1, b1, W2, b2):
    grads = backward(forward(X, y, W1, b1, W2, b2)[1])
    torch_grads = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    for name, grad in grads.items():
        assert np.allclose(grad, torch_grads[name].numpy(), rtol=1e-6, atol=1e-10), name
    return True


def gradient_check(X, y, W1, b1, W2, b2, eps=1e-7):
    """Nudge every number a little and see whether the loss moves as the gradient says."""
    args = {"X": X.copy(), "W1": W1.copy(), "b1": b1.copy(), "W2": W2.copy(), "b2": b2.copy()}
    loss, cache = forward(y=y, **args)
    grads = backward(cache)
    worst = 0.0
    for name, array in args.items():
        for index in np.ndindex(*array.shape):
            before = array[index]
            array[index] = before + eps
            nudged, _ = forward(y=y, **args)
            array[index] = before
            numeric = (nudged - loss) / eps
            gap = abs(numeric - grads[name][index])
            worst = max(worst, gap / max(1e-3, abs(numeric), abs(grads[name][index])))
    return worst
