"""Aufgabe: Backprop per Hand, mit PyTorch geprüft.  Formen stehen hinter jeder Zeile."""
import numpy as np
import torch


def forward(X, y, W1, b1, W2, b2):
    z1 = X @ W1 + b1                                  # [B, H]
    h1 = z1 * (z1 > 0)                                # [B, H]
    z2 = h1 @ W2 + b2                                 # [B, C]
    z2 = z2 - z2.max(axis=1)[:, None]                 # [B, C], Zeilenmaximum ist jetzt 0
    logp = z2 - np.log(np.exp(z2).sum(axis=1))[:, None]
    loss = -logp[range(len(y)), y].mean()             # Skalar
    return loss, {"X": X, "y": y, "W1": W1, "W2": W2, "z1": z1, "h1": h1, "p": np.exp(logp)}


def backward(c):
    n = len(c["y"])
    eins = np.zeros_like(c["p"])
    eins[range(n), c["y"]] = 1
    dz2 = (c["p"] - eins) / n                         # [B, C]
    dz1 = (dz2 @ c["W2"].T) * (c["z1"] > 0)           # [B, H]
    return {
        "W2": c["h1"].T @ dz2,                        # [H, C]
        "b2": dz2.sum(axis=0),                        # [C]
        "W1": c["X"].T @ dz1,                         # [D, H]
        "b1": dz1.sum(axis=0),                        # [H]
        "X": dz1 @ c["W1"].T,                         # [B, D]
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    blatt = {}
    for name, wert in (("X", X), ("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2)):
        blatt[name] = torch.from_numpy(wert.copy()).requires_grad_(True)
    h = (blatt["X"] @ blatt["W1"] + blatt["b1"]).relu()
    logits = h @ blatt["W2"] + blatt["b2"]
    loss = torch.nn.CrossEntropyLoss()(logits, torch.from_numpy(np.asarray(y, dtype=np.int64)))
    loss.backward()
    return loss.detach().numpy(), {name: b.grad.numpy() for name, b in blatt.items()}


def verify(X, y, W1, b1, W2, b2):
    hand = backward(forward(X, y, W1, b1, W2, b2)[1])
    auto = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    gut = True
    for name in ("W1", "b1", "W2", "b2", "X"):
        abstand = np.abs(hand[name] - auto[name]).max()
        ok = abstand <= 1e-9 * max(1e-6, np.abs(auto[name]).max())
        print(f"{name:>3}: {abstand:.2e} {'ok' if ok else 'FALSCH'}")
        gut = gut and ok
    return gut


class Schicht:
    """Was jede Schicht kann."""

    def __call__(self, *args):
        return self.forward(*args)


class Linear(Schicht):
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.eingang = x
        return x @ self.W + self.b

    def backward(self, oben):
        self.dW = self.eingang.T @ oben
        self.db = oben.mean(axis=0)
        return oben @ self.W.T


class Relu(Schicht):
    def forward(self, x):
        return x * (x > 0)

    def backward(self, oben):
        return oben * (oben > 0)


class SoftmaxKreuzentropieLoss(Schicht):
    def forward(self, logits, y):
        self.logits = logits - logits.max(axis=1)[:, None]
        self.y = y
        logp = self.logits - np.log(np.exp(self.logits).sum(axis=1))[:, None]
        self.eins = np.zeros_like(logits)
        self.eins[range(len(y)), y] = 1
        self.logits = logits
        return -(self.eins * logp).mean()

    def backward(self):
        return (self.logits - self.eins) / len(self.y)
