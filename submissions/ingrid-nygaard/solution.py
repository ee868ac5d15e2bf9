import numpy as np
import torch


def affine(x, w, b):
    return x @ w + b, (x, w)


def affine_back(dout, saved):
    x, w = saved
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def relu(x):
    return np.maximum(x, 0), x


def relu_back(dout, x):
    return dout * (x > 0)


def softmax_loss(logits, y):
    s = logits - logits.max(axis=1, keepdims=True)
    logp = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    N = logits.shape[0]
    loss = -logp[np.arange(N), y].mean()
    d = np.exp(logp)
    d[np.arange(N), y] -= 1
    return loss, d / logits.shape[-1]


def forward(X, y, W1, b1, W2, b2):
    a, fc1 = affine(X, W1, b1)
    h, act = relu(a)
    logits, fc2 = affine(h, W2, b2)
    loss, dlogits = softmax_loss(logits, y)
    return loss, (fc1, act, fc2, dlogits)


def backward(cache):
    fc1, act, fc2, dlogits = cache
    dh, dW2, db2 = affine_back(dlogits, fc2)
    da = relu_back(dh, act)
    dX, dW1, db1 = affine_back(da, fc1)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = (torch.from_numpy(np.array(v)).requires_grad_() for v in (X, W1, b1, W2, b2))
    logits = torch.addmm(b2, torch.relu(torch.addmm(b1, X, W1)), W2)
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(y.astype(np.int64)))
    loss.backward()
    return loss.item(), {"X": X.grad, "W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad}


def verify(X, y, W1, b1, W2, b2):
    ours = backward(forward(X, y, W1, b1, W2, b2)[1])
    torchs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    errors = {k: float(np.abs(ours[k] - torchs[k].numpy()).max()) for k in ours}
    return max(errors.values()) < 1e-9, errors
