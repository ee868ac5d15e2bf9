import os
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class CFG:
    seed = 42
    B, D, H, C = 32, 16, 24, 5
    rtol = 1e-4
    atol = 1e-6


def seed_everything(seed):
    random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def get_data(cfg=CFG):
    X = np.random.randn(cfg.B, cfg.D)
    y = np.random.randint(0, cfg.C, cfg.B)
    W1 = np.random.randn(cfg.D, cfg.H) * np.sqrt(2 / cfg.D)
    b1 = np.random.randn(cfg.H) * 0.01
    W2 = np.random.randn(cfg.H, cfg.C) * np.sqrt(2 / cfg.H)
    b2 = np.random.randn(cfg.C) * 0.01
    return X, y, W1, b1, W2, b2


def log_softmax(z):
    z = z - z.max(1, keepdims=True)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1          # B, H
    H1 = np.maximum(Z1, 0)    # B, H
    Z2 = H1 @ W2 + b2         # B, C
    lp = log_softmax(Z2)
    loss = -lp[np.arange(len(y)), y].mean()
    return loss, (X, y, W1, W2, Z1, H1, np.exp(lp))


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    n, C = P.shape
    err = P - np.eye(C, dtype=P.dtype)[y]
    dZ2 = err / n
    dW2 = H1.T @ dZ2
    db2 = err.sum(0)
    dH1 = dZ2 @ W2.T
    dZ1 = dH1 * (Z1 > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(0)
    dX = dH1 @ W1.T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


class Model(nn.Module):
    def __init__(self, W1, b1, W2, b2):
        super().__init__()
        self.W1, self.b1, self.W2, self.b2 = (nn.Parameter(torch.tensor(a)) for a in (W1, b1, W2, b2))

    def forward(self, x):
        return F.relu(x @ self.W1 + self.b1) @ self.W2 + self.b2


def torch_forward_backward(X, y, W1, b1, W2, b2):
    model = Model(W1, b1, W2, b2)
    xb = torch.tensor(X, requires_grad=True)
    yb = torch.tensor(y, dtype=torch.long)
    model.zero_grad()
    loss = nn.CrossEntropyLoss()(model(xb), yb)
    loss.backward()
    g = {n: p.grad.detach().cpu().numpy() for n, p in model.named_parameters()}
    g["X"] = xb.grad.detach().cpu().numpy()
    return loss.item(), g


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    g = backward(cache)
    tl, tg = torch_forward_backward(X, y, W1, b1, W2, b2)
    scores = {k: np.allclose(g[k], tg[k], rtol=CFG.rtol, atol=CFG.atol) for k in tg}
    scores["loss"] = np.allclose(loss, tl, rtol=1e-4, atol=1e-6)
    print(scores)
    return all(scores.values())


if __name__ == "__main__":
    seed_everything(CFG.seed)
    print("CV:", verify(*get_data()))
