"""The class of the cs231n assignment: weights in self.params, loss and gradients in one call."""

import numpy as np
import torch
import torch.nn.functional as F


class TwoLayerNet(object):
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params["W1"] = std * np.random.randn(input_size, hidden_size)
        self.params["b1"] = np.zeros(hidden_size)
        self.params["W2"] = std * np.random.randn(hidden_size, output_size)
        self.params["b2"] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.05):
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        N, D = X.shape
        z1 = X.dot(W1) + b1
        h1 = np.maximum(0, z1)
        scores = h1.dot(W2) + b2
        if y is None:
            return scores
        shifted = scores - np.max(scores, axis=1, keepdims=True)
        log_probs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
        loss = -np.sum(log_probs[np.arange(N), y]) / N
        loss += reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        grads = {}
        dscores = np.exp(log_probs)
        dscores[np.arange(N), y] -= 1
        dscores /= N
        grads["W2"] = h1.T.dot(dscores) + 2 * reg * W2
        grads["b2"] = np.sum(dscores, axis=0)
        dh1 = dscores.dot(W2.T)
        dz1 = dh1 * (z1 > 0)
        grads["W1"] = X.T.dot(dz1) + 2 * reg * W1
        grads["b1"] = np.sum(dz1, axis=0)
        grads["X"] = dz1.dot(W1.T)
        return loss, grads

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, num_iters=100):
        for _ in range(num_iters):
            _, grads = self.loss(X, y)
            for name in self.params:
                self.params[name] -= learning_rate * grads[name]

    def predict(self, X):
        return np.argmax(self.loss(X), axis=1)


def torch_grads(X, W1, b1, W2, b2, y):
    X, W1, b1, W2, b2 = (torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2))
    logits = torch.relu(X @ W1 + b1) @ W2 + b2
    loss = F.cross_entropy(logits, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"dW1": W1.grad, "db1": b1.grad, "dW2": W2.grad, "db2": b2.grad, "dX": X.grad}
