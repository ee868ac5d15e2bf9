import numpy as np
rng = np.random.default_rng(0)
N, D, H, C = 10, 4, 6, 3
X = rng.normal(size=(N, D))
y = rng.integers(0, C, N)
params = {"W1": rng.normal(size=(D, H)), "b1": np.zeros(H), "W2": rng.normal(size=(H, C)), "b2": np.zeros(C)}

z1 = X @ params["W1"] + params["b1"]
a1 = np.maximum(z1, 0)
z2 = a1 @ params["W2"] + params["b2"]
z2 = z2 - z2.max(1, keepdims=True)
logp = z2 - np.log(np.exp(z2).sum(1, keepdims=True))
loss = -logp[np.arange(N), y].mean()
grads = {}
delta = np.exp(logp)
delta[np.arange(N), y] -= 1
delta /= N
grads["W2"] = a1.T @ delta
grads["b2"] = delta.sum(0)
delta = delta @ params["W2"].T
delta[z1 <= 0] = 0
grads["W1"] = X.T @ delta
grads["b1"] = delta.sum(0)
grads["X"] = delta @ params["W1"].T
for name in params:
    params[name] -= 0.1 * grads[name]
