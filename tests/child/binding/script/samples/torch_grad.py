import numpy as np
import torch
import torch.nn.functional as F
rng = np.random.default_rng(0)
X, y = rng.normal(size=(7, 4)), rng.integers(0, 3, size=7)
W1, b1, W2, b2 = rng.normal(size=(4, 5)), rng.normal(size=5), rng.normal(size=(5, 3)), rng.normal(size=3)

def relu(z):
    return np.maximum(z, 0)

def drelu(z):
    return (z > 0).astype(z.dtype)

Z1 = X @ W1 + b1
Z2 = relu(Z1) @ W2 + b2
Z2 = Z2 - Z2.max(axis=-1, keepdims=True)
lse = np.log(np.exp(Z2).sum(axis=-1))
J = np.mean(lse - Z2[np.arange(7), y])
dJ_dZ2 = (np.exp(Z2 - lse[:, None]) - np.eye(3)[y]) / 7
dJ_dW2 = relu(Z1).T @ dJ_dZ2
dJ_db2 = dJ_dZ2.sum(0)
dJ_dZ1 = (dJ_dZ2 @ W2.T) * drelu(Z1)
dJ_dW1 = X.T @ dJ_dZ1
dJ_db1 = dJ_dZ1.sum(0)
dJ_dX = dJ_dZ1 @ W1.T

params = [torch.tensor(p, requires_grad=True) for p in [X, W1, b1, W2, b2]]
Xt, W1t, b1t, W2t, b2t = params
J_t = F.cross_entropy(F.relu(Xt @ W1t + b1t) @ W2t + b2t, torch.from_numpy(y))
gX, gW1, gb1, gW2, gb2 = torch.autograd.grad(J_t, params)
for a, b in zip([dJ_dX, dJ_dW1, dJ_db1, dJ_dW2, dJ_db2], [gX, gW1, gb1, gW2, gb2]):
    assert np.allclose(a, b.numpy())
