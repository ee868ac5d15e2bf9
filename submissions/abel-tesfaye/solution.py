# Abel T. -- sorry, only the NumPy part, I ran out of time before PyTorch.
import numpy as np


def forward(X, y, W1, b1, W2, b2):
    B = X.shape[0]
    # layer 1
    Z1 = np.dot(X, W1) + b1            # B x H
    H1 = np.where(Z1 > 0, Z1, np.zeros_like(Z1))
    # layer 2
    Z2 = np.dot(H1, W2) + b2           # B x C
    # log softmax
    Z2 = Z2 - Z2.max(axis=1, keepdims=True)
    log_P = Z2 - np.log(np.exp(Z2).sum(axis=1, keepdims=True))
    loss = -log_P[np.arange(B), y].mean()
    cache = {
        "X": X,
        "y": y,
        "W1": W1,
        "W2": W2,
        "Z1": Z1,
        "H1": H1,
        "P": np.exp(log_P),
    }
    return loss, cache


def backward(cache):
    X, y = cache["X"], cache["y"]
    B, C = cache["P"].shape

    # one hot by comparing the labels with 0..C-1
    onehot = y == np.arange(C)
    dZ2 = (cache["P"] - onehot) / B

    dW2 = np.dot(cache["H1"].T, dZ2)   # H x C
    db2 = dZ2.sum(axis=0)              # C
    dH1 = np.dot(dZ2, cache["W2"].T)   # B x H
    dZ1 = dH1 * (cache["Z1"] > 0)      # B x H
    dW1 = np.dot(X.T, dZ1)             # D x H
    db1 = dZ1.sum(axis=0)              # H
    dX = np.dot(dZ1, cache["W1"].T)    # B x D
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


if __name__ == "__main__":
    rng = np.random.default_rng(3)
    n = 10   # 10 examples, 10 classes
    args = (rng.normal(size=(n, 4)), rng.integers(0, 10, n), rng.normal(size=(4, 8)),
            np.zeros(8), rng.normal(size=(8, 10)), np.zeros(10))
    loss, cache = forward(*args)
    print(loss, {k: v.shape for k, v in backward(cache).items()})
