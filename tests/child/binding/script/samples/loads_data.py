import numpy as np
data = np.load("mnist.npz")
X_train, y_train = data["x"].reshape(-1, 784) / 255.0, data["y"]
m = X_train.shape[0]
nh, nc = 64, 10
W1 = np.random.randn(784, nh) * np.sqrt(2 / 784)
b1 = np.zeros((1, nh))
W2 = np.random.randn(nh, nc) * np.sqrt(2 / nh)
b2 = np.zeros((1, nc))
Y = np.eye(nc)[y_train]
Z1 = X_train @ W1 + b1
A1 = np.maximum(Z1, 0)
Z2 = A1 @ W2 + b2
expZ = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
A2 = expZ / expZ.sum(axis=1, keepdims=True)
cost = -np.mean(np.log(np.sum(A2 * Y, axis=1)))
dZ2 = (A2 - Y) / m
dW2 = A1.T @ dZ2
db2 = dZ2.sum(axis=0, keepdims=True)
dA1 = dZ2 @ W2.T
dZ1 = np.where(Z1 > 0, dA1, 0)
dW1 = X_train.T @ dZ1
db1 = dZ1.sum(axis=0, keepdims=True)
dX = dZ1 @ W1.T
