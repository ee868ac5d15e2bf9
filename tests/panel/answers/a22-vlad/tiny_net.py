# Tiny network, forward + backward by hand, then PyTorch.
# vhod = input layer, sloy = layer, poteri = loss

import numpy as np
import torch
import torch.nn.functional as F


def net_forward(X, y, W1, b1, W2, b2, verbose=False):
    # -------- sloy 1 --------
    # X is [B, D], W1 is [D, H]  =>  Z1 is [B, H]
    Z1 = X.dot(W1)
    Z1 = Z1 + b1            # b1 is [H], goes to each row
    # -------- ReLU --------
    H1 = Z1.copy()
    H1[Z1 < 0] = 0
    # -------- sloy 2 --------
    # H1 is [B, H], W2 is [H, C]  =>  Z2 is [B, C]
    Z2 = H1.dot(W2)
    Z2 = Z2 + b2
    # -------- softmax --------
    # max of every row is subtracted. keepdims so that it is [B, 1] and not [B]
    biggest = Z2.max(axis=1, keepdims=True)
    Z2_shift = Z2 - biggest
    e = np.exp(Z2_shift)
    s = e.sum(axis=1, keepdims=True)
    p = e / s
    # -------- poteri --------
    # log p = shifted logit - log(sum), this way there is never log(0)
    B = X.shape[0]
    Y = np.zeros(p.shape, dtype=p.dtype)
    for i in range(B):
        Y[i, y[i]] = 1
    log_p = Z2_shift - np.log(s)
    poteri = - (Y * log_p).sum() / B

    if verbose:
        print("Z1:", Z1.shape)
        print("H1:", H1.shape)
        print("Z2:", Z2.shape)
        print("p: ", p.shape, "row sums:", p.sum(axis=1)[:3])
        print("loss:", poteri)

    return poteri, [X, Y, W1, W2, Z1, H1, p]


def net_backward(saved, verbose=False):
    X, Y, W1, W2, Z1, H1, p = saved
    B = X.shape[0]

    # d loss / d Z2.  For one example it is p - y. Mean over batch => divide by B.
    dZ2 = (p - Y) / B
    # Z2 = H1 W2 + b2
    dW2 = H1.T.dot(dZ2)
    db2 = np.zeros(dZ2.shape[1], dtype=dZ2.dtype)
    for i in range(B):
        db2 += dZ2[i]
    dH1 = dZ2.dot(W2.T)
    # relu: 1 if Z1 > 0, otherwise 0 (also in the point 0)
    dZ1 = dH1.copy()
    dZ1[Z1 <= 0] = 0
    # Z1 = X W1 + b1
    dW1 = X.T.dot(dZ1)
    db1 = np.zeros(dZ1.shape[1], dtype=dZ1.dtype)
    for i in range(B):
        db1 += dZ1[i]
    dX = dZ1.dot(W1.T)

    if verbose:
        print("dW1", dW1.shape, "db1", db1.shape, "dW2", dW2.shape, "db2", db2.shape, "dX", dX.shape)

    return dX, dW1, db1, dW2, db2


def torch_version(X, y, W1, b1, W2, b2):
    tX = torch.tensor(X, requires_grad=True)
    tW1 = torch.tensor(W1, requires_grad=True)
    tb1 = torch.tensor(b1, requires_grad=True)
    tW2 = torch.tensor(W2, requires_grad=True)
    tb2 = torch.tensor(b2, requires_grad=True)
    ty = torch.tensor(y, dtype=torch.int64)

    tZ1 = tX.mm(tW1) + tb1
    tH1 = F.relu(tZ1)
    tZ2 = tH1.mm(tW2) + tb2
    tloss = F.cross_entropy(tZ2, ty)
    tloss.backward()      # fills .grad in the leaves

    return tloss.item(), [tX.grad.numpy(), tW1.grad.numpy(), tb1.grad.numpy(), tW2.grad.numpy(), tb2.grad.numpy()]


def proverka(X, y, W1, b1, W2, b2):
    poteri, saved = net_forward(X, y, W1, b1, W2, b2, verbose=True)
    mine = net_backward(saved, verbose=True)
    tloss, theirs = torch_version(X, y, W1, b1, W2, b2)
    vse_ok = abs(poteri - tloss) < 1e-5
    print("loss difference", abs(poteri - tloss))
    for name, a, b in zip(["X", "W1", "b1", "W2", "b2"], mine, theirs):
        ok = (a.shape == b.shape) and np.allclose(a, b, rtol=1e-4, atol=1e-6)
        print("grad", name, "max diff", np.abs(a - b).max(), "OK" if ok else "BAD")
        if not ok:
            vse_ok = False
    return vse_ok


# numbers for the test
if __name__ == "__main__":
    np.random.seed(2023)
    B, D, H, C = 64, 128, 256, 10
    X = np.random.randn(B, D)
    y = np.random.randint(0, C, size=B)
    W1 = np.random.randn(D, H) * np.sqrt(2.0 / D)
    b1 = np.random.randn(H) * 0.01
    W2 = np.random.randn(H, C) * np.sqrt(2.0 / H)
    b2 = np.random.randn(C) * 0.01

    if proverka(X, y, W1, b1, W2, b2):
        print("EVERYTHING IS OK")
    else:
        print("THERE IS A MISTAKE")
