import numpy as np
class Linear:
    def __init__(self, W, b):
        self.W, self.b = W, b
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, g):
        self.dW = self.x.T @ g
        self.db = g.sum(0)
        return g @ self.W.T
rng = np.random.default_rng(0)
X, y = rng.normal(size=(7, 4)), rng.integers(0, 3, size=7)
W1, b1, W2, b2 = rng.normal(size=(4, 5)), rng.normal(size=5), rng.normal(size=(5, 3)), rng.normal(size=3)
fc1, fc2 = Linear(W1, b1), Linear(W2, b2)
h = fc1.forward(X)
mask = h > 0
logits = fc2.forward(h * mask)
e = np.exp(logits - logits.max(1, keepdims=True))
p = e / e.sum(1, keepdims=True)
loss = -np.log(p[np.arange(len(y)), y]).mean()
g = p.copy()
g[np.arange(len(y)), y] -= 1
g /= len(y)
dh = fc2.backward(g)
dX = fc1.backward(dh * mask)
dW1, db1, dW2, db2 = fc1.dW, fc1.db, fc2.dW, fc2.db
