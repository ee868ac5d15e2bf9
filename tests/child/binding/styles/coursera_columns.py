"""deeplearning.ai: examples as columns, one-hot Y, a dictionary of parameters and a cache."""

import numpy as np
import torch


def initialize_parameters(n_x, n_h, n_y):
    W1 = np.random.randn(n_h, n_x) * 0.01
    b1 = np.zeros((n_h, 1))
    W2 = np.random.randn(n_y, n_h) * 0.01
    b2 = np.zeros((n_y, 1))
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


def forward_propagation(X, parameters):
    W1, b1 = parameters["W1"], parameters["b1"]
    W2, b2 = parameters["W2"], parameters["b2"]
    Z1 = np.dot(W1, X) + b1
    A1 = np.maximum(0, Z1)
    Z2 = np.dot(W2, A1) + b2
    shifted = Z2 - Z2.max(axis=0, keepdims=True)
    A2 = np.exp(shifted) / np.sum(np.exp(shifted), axis=0, keepdims=True)
    cache = {"Z1": Z1, "A1": A1, "A2": A2}
    return Z2, cache


def compute_cost(Z2, Y):
    m = Y.shape[1]
    shifted = Z2 - Z2.max(axis=0, keepdims=True)
    log_probs = shifted - np.log(np.sum(np.exp(shifted), axis=0, keepdims=True))
    return -np.sum(Y * log_probs) / m


def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    W1, W2 = parameters["W1"], parameters["W2"]
    A1, A2 = cache["A1"], cache["A2"]
    dZ2 = (A2 - Y) / m
    dW2 = np.dot(dZ2, A1.T)
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.dot(W2.T, dZ2) * (cache["Z1"] > 0)
    dW1 = np.dot(dZ1, X.T)
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dX": np.dot(W1.T, dZ1)}


def update_parameters(parameters, grads, learning_rate=1.2):
    return {k: parameters[k] - learning_rate * grads["d" + k] for k in parameters}


class TorchNet(torch.nn.Module):
    def __init__(self, n_x, n_h, n_y):
        super().__init__()
        self.hidden = torch.nn.Linear(n_x, n_h)
        self.out = torch.nn.Linear(n_h, n_y)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


criterion = torch.nn.CrossEntropyLoss()
