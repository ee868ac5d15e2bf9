import numpy as np
X_train = np.random.randn(100, 8)
y_train = np.random.randint(0, 3, 100)
batch_size = 20
W1 = np.random.randn(8, 16) * 0.01
b1 = np.zeros(16)
W2 = np.random.randn(16, 3) * 0.01
b2 = np.zeros(3)
for epoch in range(2):
    for i in range(0, 100, batch_size):
        xb = X_train[i:i + batch_size]
        yb = y_train[i:i + batch_size]
        n = len(xb)
        z1 = xb @ W1 + b1
        a1 = np.maximum(0, z1)
        scores = a1 @ W2 + b2
        scores = scores - scores.max(axis=1, keepdims=True)
        probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        loss = -np.mean(np.log(probs[np.arange(n), yb]))
        dscores = probs
        dscores[np.arange(n), yb] -= 1
        dscores /= n
        dW2 = a1.T @ dscores
        db2 = dscores.sum(axis=0)
        da1 = dscores @ W2.T
        dz1 = da1 * (z1 > 0)
        dW1 = xb.T @ dz1
        db1 = dz1.sum(axis=0)
        dX = dz1 @ W1.T
        W1 -= 0.1 * dW1; b1 -= 0.1 * db1; W2 -= 0.1 * dW2; b2 -= 0.1 * db2
