"""Two-layer network, gradients by hand. Run the file: it checks itself against PyTorch."""
import numpy as np
import torch


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = Z1.clip(min=0)
    Z2 = H1 @ W2 + b2
    Z2 -= Z2.max(axis=1, keepdims=True)
    total = np.exp(Z2).sum(axis=1)
    loss = np.mean(np.log(total) - Z2[np.arange(y.size), y])
    return loss, (X, y, W1, W2, Z1, H1, np.exp(Z2) / total[:, np.newaxis])


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    G = P / y.size
    G[np.arange(y.size), y] -= 1 / y.size
    M = (G @ W2.T) * np.heaviside(Z1, 0)
    return {"W1": X.T @ M, "b1": M.sum(0), "W2": H1.T @ G, "b2": G.sum(0), "X": M @ W1.T}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    tensors = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X)]
    W1, b1, W2, b2, X = tensors
    scores = torch.relu(X @ W1 + b1) @ W2 + b2
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), dict(zip(("W1", "b1", "W2", "b2", "X"), (t.grad for t in tensors)))


if __name__ == "__main__":
    np.random.seed(7)
    n, d, h, c = 8, 5, 6, 4
    X, y = np.random.randn(n, d), np.random.randint(0, c, size=n)
    W1, b1 = np.random.randn(d, h) / np.sqrt(d), np.random.randn(h)
    W2, b2 = np.random.randn(h, c) / np.sqrt(h), np.random.randn(c)

    loss, cache = forward(X, y, W1, b1, W2, b2)
    ours = backward(cache)
    torch_loss, theirs = torch_forward_backward(X, y, W1, b1, W2, b2)

    assert abs(loss - torch_loss) < 1e-12
    for name, gradient in ours.items():
        expected = theirs[name].numpy()
        assert gradient.shape == expected.shape, name
        assert np.linalg.norm(gradient - expected) < 1e-10 * np.linalg.norm(expected), name
    print("all five gradients agree")
