import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
B, D, H, C = 20, 6, 10, 4
X = torch.randn(B, D, dtype=torch.float64, requires_grad=True)
y = torch.randint(0, C, (B,))
W1 = torch.randn(D, H, dtype=torch.float64, requires_grad=True)
b1 = torch.zeros(H, dtype=torch.float64, requires_grad=True)
W2 = torch.randn(H, C, dtype=torch.float64, requires_grad=True)
b2 = torch.zeros(C, dtype=torch.float64, requires_grad=True)

H1 = torch.relu(X @ W1 + b1)
loss = nn.CrossEntropyLoss()(H1 @ W2 + b2, y)
loss.backward()

X_np, y_np = X.detach().numpy(), y.numpy()
W1_np, b1_np = W1.detach().numpy(), b1.detach().numpy()
W2_np, b2_np = W2.detach().numpy(), b2.detach().numpy()
z1 = X_np @ W1_np + b1_np
h1 = np.maximum(z1, 0)
z2 = h1 @ W2_np + b2_np
z2 = z2 - z2.max(axis=1, keepdims=True)
probs = np.exp(z2) / np.exp(z2).sum(axis=1, keepdims=True)
loss_np = -np.log(probs[np.arange(B), y_np]).mean()
dz2 = probs
dz2[np.arange(B), y_np] -= 1
dz2 /= B
dW2_np, db2_np = h1.T @ dz2, dz2.sum(axis=0)
dz1 = (dz2 @ W2_np.T) * (z1 > 0)
dW1_np, db1_np = X_np.T @ dz1, dz1.sum(axis=0)
dX_np = dz1 @ W1_np.T

print(np.allclose(loss_np, loss.item()))
for a, b in [(dX_np, X), (dW1_np, W1), (db1_np, b1), (dW2_np, W2), (db2_np, b2)]:
    assert np.allclose(a, b.grad.numpy())
