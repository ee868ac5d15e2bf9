# ── cell 1 ──
import numpy as np
import torch
import torch.nn as nn

# ── cell 2 ──
n_samples, n_features, n_hidden, n_classes = 30, 7, 11, 3
rng = np.random.RandomState(42)
X = rng.randn(n_samples, n_features)
y = rng.randint(0, n_classes, n_samples)
y_onehot = np.eye(n_classes)[y]
W1 = rng.randn(n_features, n_hidden) * np.sqrt(2 / n_features)
b1 = np.zeros((1, n_hidden))
W2 = rng.randn(n_hidden, n_classes) * np.sqrt(2 / n_hidden)
b2 = np.zeros((1, n_classes))

# ── cell 3 ──
Z1 = np.dot(X, W1) + b1
A1 = np.maximum(0, Z1)
Z2 = np.dot(A1, W2) + b2
shifted = Z2 - np.max(Z2, axis=1, keepdims=True)
log_probs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
loss = -np.sum(y_onehot * log_probs) / n_samples
print(f"loss: {loss:.4f}")

# ── cell 4 ──
grads = {}
dZ2 = (np.exp(log_probs) - y_onehot) / n_samples
grads["W2"] = np.dot(A1.T, dZ2)
grads["b2"] = np.sum(dZ2, axis=0, keepdims=True)
dA1 = np.dot(dZ2, W2.T)
dZ1 = dA1 * (Z1 > 0)
grads["W1"] = np.dot(X.T, dZ1)
grads["b1"] = np.sum(dZ1, axis=0, keepdims=True)
grads["X"] = np.dot(dZ1, W1.T)

# ── cell 5 ──
model = nn.Sequential(
    nn.Linear(n_features, n_hidden), nn.ReLU(), nn.Linear(n_hidden, n_classes)
).double()
with torch.no_grad():
    model[0].weight.copy_(torch.from_numpy(W1.T))
    model[0].bias.copy_(torch.from_numpy(b1[0]))
    model[2].weight.copy_(torch.from_numpy(W2.T))
    model[2].bias.copy_(torch.from_numpy(b2[0]))
inputs = torch.from_numpy(X).requires_grad_(True)
criterion = nn.CrossEntropyLoss()
criterion(model(inputs), torch.from_numpy(y)).backward()

# ── cell 6 ──
print(np.abs(grads["W1"] - model[0].weight.grad.numpy().T).max())
print(np.abs(grads["b1"] - model[0].bias.grad.numpy()).max())
print(np.abs(grads["W2"] - model[2].weight.grad.numpy().T).max())
print(np.abs(grads["b2"] - model[2].bias.grad.numpy()).max())
print(np.abs(grads["X"] - inputs.grad.numpy()).max())
