import numpy as np
import torch


def relu(z):
    return np.maximum(z, 0)


def relu_grad(z, h):
    # h = z where z > 0 and 0 elsewhere, so h / z is exactly 1 or 0: no branching
    return h / z


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = relu(Z1)
    Z2 = H1 @ W2 + b2
    Z2 = Z2 - Z2.max(axis=1, keepdims=True)
    lse = np.log(np.exp(Z2).sum(axis=1, keepdims=True))
    log_probs = Z2 - lse
    loss = -log_probs[np.arange(len(y)), y].mean()
    cache = {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": np.exp(log_probs)}
    return loss, cache


def backward(cache):
    X, y, W1, W2 = cache["X"], cache["y"], cache["W1"], cache["W2"]
    Z1, H1, P = cache["Z1"], cache["H1"], cache["P"]
    B = X.shape[0]

    dZ2 = P.copy()
    dZ2[np.arange(B), y] -= 1
    dZ2 /= B
    dW2 = np.dot(H1.T, dZ2)
    db2 = np.sum(dZ2, axis=0, keepdims=True)

    dH1 = np.dot(dZ2, W2.T)
    dZ1 = dH1 * relu_grad(Z1, H1)
    dW1 = np.dot(X.T, dZ1)
    db1 = np.sum(dZ1, axis=0, keepdims=True)
    dX = np.dot(dZ1, W1.T)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    ts = {"X": X, "W1": W1, "b1": b1, "W2": W2, "b2": b2}
    ts = {k: torch.tensor(v, requires_grad=True) for k, v in ts.items()}
    hidden = torch.relu(ts["X"] @ ts["W1"] + ts["b1"])
    logits = hidden @ ts["W2"] + ts["b2"]
    loss = torch.nn.CrossEntropyLoss()(logits, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {k: t.grad.numpy() for k, t in ts.items()}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    grads = backward(cache)
    tloss, tgrads = torch_forward_backward(X, y, W1, b1, W2, b2)
    print("loss   ", loss, float(tloss))
    good = True
    for name in ("W1", "b1", "W2", "b2", "X"):
        ref = np.asarray(tgrads[name])
        err = np.max(np.abs(grads[name] - ref)) / np.max(np.abs(ref))
        print(f"d{name:<5}", grads[name].shape, ref.shape, err)
        good = good and err < 1e-8
    return good
