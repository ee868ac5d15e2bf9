import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

"""
NumPy: forward() and backward(). PyTorch: torch_forward_backward().
"""


def softmax_xent(Z2, y):
    Z = Z2 - Z2.max(axis=1, keepdims=True)
    logsum = np.log(np.exp(Z).sum(axis=1))
    rows = np.arange(y.shape[0])
    return (logsum - Z[rows, y]).mean(), np.exp(Z - logsum[:, None])


def forward(X, y, W1, b1, W2, b2):
    # get rid of stray length-1 axes before adding the bias
    Z1 = np.squeeze(X @ W1) + b1
    H1 = np.maximum(Z1, 0)
    loss, P = softmax_xent(H1 @ W2 + b2, y)
    return loss, dict(X=X, y=y, W1=W1, W2=W2, Z1=Z1, H1=H1, P=P)


def backward(cache):
    X, y, W1, W2 = cache["X"], cache["y"], cache["W1"], cache["W2"]
    B = X.shape[0]

    dZ2 = cache["P"].copy()
    dZ2[np.arange(B), y] -= 1
    dZ2 /= B
    dW2 = cache["H1"].T @ dZ2
    db2 = dZ2.sum(axis=0)

    dH1 = dZ2 @ W2.T
    dZ1 = dH1 * (cache["Z1"] > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    dX = dZ1 @ W1.T
    return dict(W1=dW1, b1=db1, W2=dW2, b2=db2, X=dX)


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = [nn.Parameter(torch.from_numpy(a).clone()) for a in (X, W1, b1, W2, b2)]
    H1 = F.relu(X @ W1 + b1)
    probs = F.softmax(H1 @ W2 + b2, dim=1)
    loss = nn.CrossEntropyLoss()(probs, torch.from_numpy(y).long())
    loss.backward()
    return loss.item(), dict(W1=W1.grad, b1=b1.grad, W2=W2.grad, b2=b2.grad, X=X.grad)


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    manual = backward(cache)
    tloss, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    ok = np.isclose(loss, float(tloss))
    for k in ("W1", "b1", "W2", "b2", "X"):
        ref = np.asarray(auto[k])
        ok = ok and np.linalg.norm(manual[k] - ref) <= 1e-7 * np.linalg.norm(ref)
    if not ok:
        print("mismatch! my numpy loss is", loss, "but torch says", float(tloss))
    return bool(ok)
