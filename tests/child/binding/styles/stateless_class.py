"""A class of static methods, used as a namespace."""

import numpy as np
import torch


class Numpy:
    @staticmethod
    def forward(X, W1, b1, W2, b2, y):
        Z1 = X @ W1 + b1
        H1 = np.maximum(Z1, 0)
        Z2 = H1 @ W2 + b2
        Z2 = Z2 - Z2.max(axis=1, keepdims=True)
        E = np.exp(Z2)
        total = E.sum(axis=1, keepdims=True)
        loss = (np.log(total[:, 0]) - Z2[np.arange(len(y)), y]).mean()
        return loss, dict(X=X, W1=W1, W2=W2, y=y, Z1=Z1, H1=H1, P=E / total)

    @staticmethod
    def backward(ctx):
        B = len(ctx["y"])
        dZ2 = ctx["P"].copy()
        dZ2[np.arange(B), ctx["y"]] -= 1
        dZ2 /= B
        dZ1 = (dZ2 @ ctx["W2"].T) * (ctx["Z1"] > 0)
        return dict(
            dL_dW1=ctx["X"].T @ dZ1, dL_db1=dZ1.sum(0), dL_dW2=ctx["H1"].T @ dZ2,
            dL_db2=dZ2.sum(0), dL_dX=dZ1 @ ctx["W1"].T,
        )


class Torch:
    @staticmethod
    def forward_backward(X, W1, b1, W2, b2, y):
        X, W1, b1, W2, b2 = (torch.tensor(v, requires_grad=True) for v in (X, W1, b1, W2, b2))
        loss = torch.nn.functional.cross_entropy(torch.relu(X @ W1 + b1) @ W2 + b2, torch.tensor(y))
        loss.backward()
        return loss, dict(dL_dW1=W1.grad, dL_db1=b1.grad, dL_dW2=W2.grad, dL_db2=b2.grad, dL_dX=X.grad)
