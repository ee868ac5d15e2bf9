import numpy as np
import torch

# ----- numpy ---------------------------------------------------------------

def forward(X, y, W1, b1, W2, b2):
    # softmax does not care about a constant added to all logits, so centre the
    # output bias to keep the exponents small
    b2 -= b2.max()

    z1 = X @ W1 + b1                                  # B x H
    h1 = np.maximum(z1, 0)                            # B x H
    z2 = h1 @ W2 + b2                                 # B x C

    z2 = z2 - z2.max(axis=1, keepdims=True)
    lse = np.log(np.exp(z2).sum(axis=1, keepdims=True))
    logp = z2 - lse
    loss = -logp[np.arange(len(y)), y].mean()
    return loss, (X, y, W1, W2, z1, h1, np.exp(logp))


def backward(cache):
    X, y, W1, W2, z1, h1, p = cache
    B = X.shape[0]

    dz2 = p.copy()
    dz2[np.arange(B), y] -= 1                         # B x C

    dW2 = h1.T @ dz2
    db2 = dz2.sum(axis=0)                             # C

    dz1 = (dz2 @ W2.T) * (z1 > 0) / B                 # B x H
    dW1 = X.T @ dz1                                   # D x H
    db1 = dz1.sum(axis=0)                             # H
    dX = dz1 @ W1.T                                   # B x D
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


# ----- torch ---------------------------------------------------------------

def torch_forward_backward(X, y, W1, b1, W2, b2):
    Xt = torch.tensor(X, requires_grad=True)
    W1t = torch.tensor(W1, requires_grad=True)
    b1t = torch.tensor(b1, requires_grad=True)
    W2t = torch.tensor(W2, requires_grad=True)
    b2t = torch.tensor(b2, requires_grad=True)
    logits = torch.relu(Xt @ W1t + b1t) @ W2t + b2t
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {
        "W1": W1t.grad.numpy(), "b1": b1t.grad.numpy(),
        "W2": W2t.grad.numpy(), "b2": b2t.grad.numpy(), "X": Xt.grad.numpy(),
    }


def verify(X, y, W1, b1, W2, b2):
    _, cache = forward(X, y, W1, b1, W2, b2)
    g = backward(cache)
    _, t = torch_forward_backward(X, y, W1, b1, W2, b2)
    for k in ("W1", "b1", "W2", "b2", "X"):
        ref = np.asarray(t[k])
        err = np.max(np.abs(g[k] - ref)) / np.max(np.abs(ref))
        assert err < 1e-6, "gradient of %s is off by %g" % (k, err)
    return True
