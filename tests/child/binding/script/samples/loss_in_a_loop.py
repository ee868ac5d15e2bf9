import numpy as np

rng = np.random.default_rng(8)
X, y = rng.normal(size=(9, 4)), rng.integers(0, 3, 9)
W1, b1 = rng.normal(size=(4, 5)), np.zeros(5)
W2, b2 = rng.normal(size=(5, 3)), np.zeros(3)
batch = X.shape[0]

Z1 = X @ W1 + b1
H1 = np.maximum(Z1, 0)
Z2 = H1 @ W2 + b2
P = np.zeros_like(Z2)
loss = 0.0
for i in range(batch):
    row = Z2[i] - Z2[i].max()
    P[i] = np.exp(row) / np.exp(row).sum()
    loss += np.log(np.exp(row).sum()) - row[y[i]]
loss /= batch

dZ2 = P.copy()
for i in range(batch):
    dZ2[i, y[i]] -= 1
dZ2 = dZ2 / batch
dW2 = H1.T @ dZ2
db2 = dZ2.sum(axis=0)
dZ1 = dZ2 @ W2.T
dZ1[Z1 <= 0] = 0
dW1 = X.T @ dZ1
db1 = dZ1.sum(axis=0)
dX = dZ1 @ W1.T

W1 -= 0.1 * dW1
W2 -= 0.1 * dW2
np.savez("weights.npz", W1=W1, W2=W2)
