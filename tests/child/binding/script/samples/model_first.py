import numpy as np
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)).double()
X = torch.randn(10, 4, dtype=torch.float64, requires_grad=True)
y = torch.randint(0, 3, (10,))
loss = nn.CrossEntropyLoss()(model(X), y)
loss.backward()

W1 = model[0].weight.detach().numpy().T
b1 = model[0].bias.detach().numpy()
W2 = model[2].weight.detach().numpy().T
b2 = model[2].bias.detach().numpy()
Xn, yn = X.detach().numpy(), y.numpy()
Z1 = Xn @ W1 + b1
A1 = np.maximum(Z1, 0)
Z2 = A1 @ W2 + b2
Z2 -= Z2.max(1, keepdims=True)
logP = Z2 - np.log(np.exp(Z2).sum(1, keepdims=True))
np_loss = -logP[np.arange(10), yn].mean()
dZ2 = np.exp(logP)
dZ2[np.arange(10), yn] -= 1
dZ2 /= 10
dW2 = A1.T @ dZ2
db2 = dZ2.sum(0)
dZ1 = dZ2 @ W2.T * (Z1 > 0)
dW1 = Xn.T @ dZ1
db1 = dZ1.sum(0)
dX = dZ1 @ W1.T
assert np.allclose(dW1, model[0].weight.grad.numpy().T)
assert np.allclose(dW2, model[2].weight.grad.numpy().T)
assert np.allclose(db1, model[0].bias.grad.numpy())
assert np.allclose(db2, model[2].bias.grad.numpy())
assert np.allclose(dX, X.grad.numpy())
