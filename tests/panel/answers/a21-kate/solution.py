"""
Textbook notation (Nielsen): activations are column vectors, a batch is a matrix
with one column per example, weights act from the left.

    z1 = w1 a0 + b1      w1: (H, D)   a0: (D, B)
    a1 = relu(z1)
    z2 = w2 a1 + b2      w2: (C, H)

The problem gives everything row-wise, so I transpose on the way in and on the way out.
"""
import numpy as np
import torch


def relu(z):
    return np.where(z > 0, z, 0)


def relu_back(delta):
    return np.where(delta > 0, delta, 0)


def column(b):
    return b.reshape(-1, 1)


def feed_forward(X, y, W1, b1, W2, b2):
    a0, w1, w2 = X.T, W1.T, W2.T
    z1 = w1 @ a0 + column(b1)
    a1 = relu(z1)
    z2 = w2 @ a1 + column(b2)

    z2 = z2 - z2.max(axis=0, keepdims=True)
    log_prob = z2 - np.log(np.exp(z2).sum(axis=0, keepdims=True))
    n = X.shape[0]
    loss = -log_prob[y, np.arange(n)].sum() / n
    return loss, (a0, w1, w2, z1, a1, log_prob, y)


def back_prop(cache):
    a0, w1, w2, z1, a1, log_prob, y = cache
    n = a0.shape[1]

    delta2 = np.exp(log_prob)
    delta2[y, np.arange(n)] -= 1
    delta2 /= n

    delta1 = relu_back(w2.T @ delta2)

    return {
        "W1": (delta1 @ a0.T).T,
        "b1": delta1.sum(axis=1),
        "W2": (delta2 @ a1.T).T,
        "b2": delta2.sum(axis=1),
        "X": (w1.T @ delta1).T,
    }


def with_autograd(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = [torch.FloatTensor(v).requires_grad_() for v in (X, W1, b1, W2, b2)]
    logits = torch.relu(X @ W1 + b1) @ W2 + b2
    loss = torch.nn.functional.cross_entropy(logits, torch.LongTensor(y))
    loss.backward()
    return loss.item(), {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = feed_forward(X, y, W1, b1, W2, b2)
    ours = back_prop(cache)
    t_loss, theirs = with_autograd(X, y, W1, b1, W2, b2)
    agree = abs(loss - t_loss) < 1e-4
    for k, t in theirs.items():
        agree = agree and ours[k].shape == tuple(t.shape) and np.allclose(ours[k], t.numpy(), rtol=1e-4, atol=1e-6)
    return agree


if __name__ == "__main__":
    np.random.seed(3)
    B, D, H, C = 16, 10, 12, 5
    print("agree:", verify(np.random.randn(B, D), np.random.randint(0, C, B),
                           np.random.randn(D, H), np.random.randn(H),
                           np.random.randn(H, C), np.random.randn(C)))
