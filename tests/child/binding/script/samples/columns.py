import numpy as np

m, n_x, n_h, n_y = 25, 6, 8, 4
np.random.seed(2)
X = np.random.randn(n_x, m)
Y = np.eye(n_y)[np.random.randint(0, n_y, m)].T
W1 = np.random.randn(n_h, n_x) * 0.01
b1 = np.zeros((n_h, 1))
W2 = np.random.randn(n_y, n_h) * 0.01
b2 = np.zeros((n_y, 1))

Z1 = W1 @ X + b1
A1 = np.maximum(0, Z1)
Z2 = W2 @ A1 + b2
T = np.exp(Z2 - Z2.max(axis=0, keepdims=True))
A2 = T / T.sum(axis=0, keepdims=True)
cost = -(Y * np.log(A2)).sum() / m

dZ2 = A2 - Y
dW2 = dZ2 @ A1.T / m
db2 = dZ2.sum(axis=1, keepdims=True) / m
dZ1 = (W2.T @ dZ2) * (Z1 > 0)
dW1 = dZ1 @ X.T / m
db1 = dZ1.sum(axis=1, keepdims=True) / m
dX = W1.T @ dZ1 / m
