# %% [markdown]
# # Backprop for a tiny network
# NumPy first, then PyTorch.

# %%
import numpy as np
import torch
import torch.nn.functional as F

np.random.seed(42)

B, D, H, C = 6, 8, 10, 3

X = np.random.randn(B, D)
y = np.random.randint(0, C, size=B)
W1 = np.random.randn(D, H) * 0.5
b1 = np.random.randn(H) * 0.1
W2 = np.random.randn(H, C) * 0.5
b2 = np.random.randn(C) * 0.1

# %% [markdown]
# ## Part 1: forward

# %%
Z1 = X @ W1 + b1
A1 = np.maximum(0, Z1)
Z2 = A1 @ W2 + b2

Zs = Z2 - Z2.max(axis=1, keepdims=True)
logp = Zs - np.log(np.exp(Zs).sum(axis=1, keepdims=True))
P = np.exp(logp)
loss = -logp[np.arange(B), y].mean()

print("Z1", Z1.shape, "A1", A1.shape, "Z2", Z2.shape, "loss", loss)

# %% [markdown]
# ## Part 2: backward
# $dZ_2 = (P - Y)/B$, then the same linear pattern twice.

# %%
dZ2 = P.copy()
dZ2[np.arange(B), y] -= 1
dZ2 /= B

dW2 = A1.T @ dZ2
db2 = dZ2.sum(axis=0)

dA1 = dZ2 @ W2.T
dZ1 = dA1 * (Z1 > 0)

dW1 = X.T @ dZ1
db1 = dZ1.sum(axis=0)
dX = dA1 @ W1.T

for name, g, p in [("W1", dW1, W1), ("b1", db1, b1), ("W2", dW2, W2), ("b2", db2, b2), ("X", dX, X)]:
    assert g.shape == p.shape
    print("d" + name, g.shape)

# %% [markdown]
# ## Part 3: autograd

# %%
X_t, W1_t, b1_t, W2_t, b2_t = [torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2)]
y_t = torch.tensor(y, dtype=torch.long)

logits_t = F.relu(X_t @ W1_t + b1_t) @ W2_t + b2_t
loss_t = F.cross_entropy(logits_t, y_t)
loss_t.backward()

print("torch loss", loss_t.item())
print("dX from torch", tuple(X_t.grad.shape))

# %%
params = {"W1": (dW1, W1_t), "b1": (db1, b1_t), "W2": (dW2, W2_t), "b2": (db2, b2_t)}
all_ok = np.isclose(loss, loss_t.item())
for name, (mine, t) in params.items():
    ok = np.allclose(mine, t.grad.numpy(), atol=1e-9)
    all_ok = all_ok and ok
    print(f"{name}: max diff {np.abs(mine - t.grad.numpy()).max():.2e}  {'OK' if ok else 'MISMATCH'}")

print("All gradients match!" if all_ok else "Something is off")
