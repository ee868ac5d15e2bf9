# Réseau à deux couches : rétropropagation
import numpy as np


def propagation_avant(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    Z2 = Z2 - Z2.max(axis=1, keepdims=True)
    logp = Z2 - np.log(np.exp(Z2).sum(axis=1, keepdims=True))
    perte = -logp[np.arange(len(y)), y].mean()
    return perte, (X, y, W1, W2, Z1, H1, logp)


def rétropropagation(mémoire):
    X, y, W1, W2, Z1, H1, logp = mémoire
    dZ2 = np.exp(logp)
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 /= len(y)
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": H1.T @ dZ2, "b2": dZ2.sum(0), "X": dZ1 @ W1.T}
