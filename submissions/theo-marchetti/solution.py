import numpy as np
import torch
import torch.nn.functional as F

# B examples, D inputs, H hidden units, C classes


def relu(z):
    return (z + np.abs(z)) / 2


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1        # B x H
    H1 = relu(Z1)           # B x H
    Z2 = H1 @ W2 + b2       # B x C
    Z2 = Z2 - Z2.max(axis=1, keepdims=True)
    logsum = np.log(np.exp(Z2).sum(axis=1, keepdims=True))
    loss = (logsum[:, 0] - Z2[range(len(y)), y]).sum() / len(y)
    return loss, {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": np.exp(Z2 - logsum)}


def backward(c):
    Y = np.eye(c["P"].shape[1])[c["y"]].astype(c["P"].dtype)
    dZ2 = (c["P"] - Y) / len(c["y"])    # B x C
    dW2 = c["H1"].T @ dZ2               # H x C
    db2 = dZ2.sum(axis=0)               # C
    dZ1 = dZ2 @ c["W2"].T               # B x H
    dZ1[c["Z1"] <= 0] = 0
    dW1 = c["X"].T @ dZ1                # D x H
    db1 = dZ1.sum(axis=0)               # H
    dX = dZ1 @ c["W1"].T                # B x D
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    tensors = {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "X": X}
    tensors = {k: torch.tensor(v, requires_grad=True) for k, v in tensors.items()}
    hidden = F.relu(tensors["X"] @ tensors["W1"] + tensors["b1"])
    loss = F.cross_entropy(hidden @ tensors["W2"] + tensors["b2"], torch.LongTensor(y.tolist()))
    loss.backward()
    return loss.item(), {k: v.grad.numpy() for k, v in tensors.items()}


if __name__ == "__main__":
    rng = np.random.default_rng(42)
    args = (rng.normal(size=(4, 3)), np.array([0, 2, 1, 1]), rng.normal(size=(3, 5)),
            rng.normal(size=5), rng.normal(size=(5, 3)), rng.normal(size=3))
    loss, cache = forward(*args)
    tloss, tgrads = torch_forward_backward(*args)
    print(loss, tloss)
    for k, v in backward(cache).items():
        print(k)
        print(v)
        print(tgrads[k])    # look the same to me
