import numpy as np
import torch
import torch.nn.functional as F

from layers import Linear, ReLU, SoftmaxCrossEntropy


class TwoLayerNet:
    def __init__(self, W1, b1, W2, b2):
        self.fc1 = Linear(W1, b1)
        self.relu = ReLU()
        self.fc2 = Linear(W2, b2)
        self.criterion = SoftmaxCrossEntropy()

    def forward(self, X, y):
        Z1 = self.fc1.forward(X)            # [B, H]
        H1 = self.relu.forward(Z1)          # [B, H]
        Z2 = self.fc2.forward(H1)           # [B, C]
        return self.criterion.forward(Z2, y)

    def backward(self):
        dZ2 = self.criterion.backward()     # [B, C]
        dH1 = self.fc2.backward(dZ2)        # [B, H]
        dZ1 = self.relu.backward(dH1)       # [B, H]
        dX = self.fc1.backward(dZ1)         # [B, D]
        return {
            "dW1": self.fc1.dW, "db1": self.fc1.db,
            "dW2": self.fc2.dW, "db2": self.fc2.db,
            "dX": dX,
        }


def autograd_reference(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = (torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2))
    Z1 = X @ W1 + b1
    Z2 = F.relu(Z1) @ W2 + b2
    loss = F.cross_entropy(Z2, torch.as_tensor(y).long())   # raw logits, mean reduction
    loss.backward()
    return loss.item(), {"dW1": W1.grad, "db1": b1.grad, "dW2": W2.grad, "db2": b2.grad, "dX": X.grad}


def numerical_gradient(loss_of, array, h=1e-5):
    grad = np.zeros_like(array)
    for idx in np.ndindex(*array.shape):
        plus, minus = array.copy(), array.copy()
        plus[idx] += h
        minus[idx] -= h
        grad[idx] = (loss_of(plus) - loss_of(minus)) / (2 * h)
    return grad
