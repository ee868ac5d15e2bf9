import numpy as np
rng = np.random.default_rng(0)
B = 12
X = rng.normal(size=(B, 5)).astype(np.float32)
y = rng.integers(0, 4, size=B)
W1 = (rng.normal(size=(5, 7)) * 0.3).astype(np.float32); b1 = np.zeros(7, dtype=np.float32)
W2 = (rng.normal(size=(7, 4)) * 0.3).astype(np.float32); b2 = np.zeros(4, dtype=np.float32)
def softmax_ce(z, y):
    z = z - z.max(axis=1, keepdims=True)
    lp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -lp[np.arange(len(y)), y].mean(), lp
pre = X @ W1 + b1
hid = np.maximum(pre, 0)
loss, lp = softmax_ce(hid @ W2 + b2, y)
d2 = np.exp(lp); d2[np.arange(B), y] -= 1; d2 /= B
grad_W2 = hid.T @ d2; grad_b2 = d2.sum(0)
d1 = d2 @ W2.T; d1[pre <= 0] = 0
grad_W1 = X.T @ d1; grad_b1 = d1.sum(0); grad_X = d1 @ W1.T
eps = 1e-3
num_W1 = np.zeros_like(W1)
for i in range(W1.shape[0]):
    for j in range(W1.shape[1]):
        old = W1[i, j]
        W1[i, j] = old + eps
        lp_, _ = softmax_ce(np.maximum(X @ W1 + b1, 0) @ W2 + b2, y)
        W1[i, j] = old - eps
        lm_, _ = softmax_ce(np.maximum(X @ W1 + b1, 0) @ W2 + b2, y)
        num_W1[i, j] = (lp_ - lm_) / (2 * eps)
        W1[i, j] = old
print(np.abs(num_W1 - grad_W1).max())
losses = []
for it in range(20):
    pre = X @ W1 + b1
    hid = np.maximum(pre, 0)
    loss, lp = softmax_ce(hid @ W2 + b2, y)
    losses.append(loss)
    d2 = np.exp(lp); d2[np.arange(B), y] -= 1; d2 /= B
    W2 -= 0.5 * hid.T @ d2
loss_after, _ = softmax_ce(np.maximum(X @ W1 + b1, 0) @ W2 + b2, y)
