import numpy as np

rng = np.random.default_rng(1)
X = rng.standard_normal((32, 12))
y = rng.integers(0, 7, size=32)
W1 = rng.standard_normal((12, 16))
b1 = rng.standard_normal(16)
W2 = rng.standard_normal((16, 7))
b2 = rng.standard_normal(7)

z1 = X @ W1 + b1
a1 = np.where(z1 > 0, z1, 0)
z2 = a1 @ W2 + b2
z2 = z2 - np.max(z2, axis=1, keepdims=True)
p = np.exp(z2) / np.sum(np.exp(z2), axis=1, keepdims=True)
L = -np.mean(np.log(p[np.arange(32), y]))

Y = np.zeros((32, 7))
Y[np.arange(32), y] = 1
dz2 = (p - Y) / 32
dW2 = a1.T @ dz2
db2 = np.sum(dz2, axis=0)
da1 = dz2 @ W2.T
dz1 = da1 * (z1 > 0)
dW1 = X.T @ dz1
db1 = np.sum(dz1, axis=0)
dX = dz1 @ W1.T
