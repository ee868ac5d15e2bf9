"""Stateless building blocks."""
import numpy as np


def linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return x @ weight + bias


def linear_grad(grad_out: np.ndarray, x: np.ndarray, weight: np.ndarray):
    """-> grad_x, grad_weight, grad_bias"""
    return grad_out @ weight.T, x.T @ grad_out, grad_out.sum(axis=0)


def relu(z: np.ndarray) -> np.ndarray:
    return np.maximum(z, 0)


def relu_grad(grad_out: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, grad_out, 0)


def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray):
    """-> mean loss, probabilities"""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_z = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    log_probs = shifted - log_z
    loss = -np.take_along_axis(log_probs, labels[:, None], axis=1).mean()
    return loss, np.exp(log_probs)


def softmax_cross_entropy_grad(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    grad = probs.copy()
    grad[np.arange(labels.shape[0]), labels] -= 1
    grad /= labels.shape[0]
    return grad
