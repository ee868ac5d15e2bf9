import numpy as np

B, D, H, C = 12, 5, 6, 3
rng = np.random.default_rng(4)
X, y = rng.normal(size=(B, D)), rng.integers(0, C, B)
W1, b1 = rng.normal(size=(D, H)), rng.normal(size=H)
W2, b2 = rng.normal(size=(H, C)), rng.normal(size=C)


def hidden_layer():
    return X @ W1 + b1


def cross_entropy_with_logits(z):
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(B), y].mean(), np.exp(log_p)


Z1 = hidden_layer()
H1 = Z1 * (Z1 > 0)
loss, P = cross_entropy_with_logits(H1 @ W2 + b2)
G = P
G[np.arange(len(G)), y] -= 1
G = G / len(G)
gW2, gb2 = H1.T @ G, G.sum(0)
G = G @ W2.T * (Z1 > 0)
gW1, gb1, gX = X.T @ G, G.sum(0), G @ W1.T
