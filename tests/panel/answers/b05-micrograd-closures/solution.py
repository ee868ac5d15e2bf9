import numpy as np
import torch
import torch.nn.functional as F

# Every op returns its output and a function that takes d(out) and gives d(inputs),
# like the _backward closures in micrograd but on whole arrays. No graph walking needed:
# the network is a chain, so I call them by hand in reverse.


def matmul_add(A, W, b):
    out = A @ W + b

    def _backward(dout):
        return dout @ W.T, A.T @ dout, dout.sum(0)
    return out, _backward


def relu(Z):
    out = np.maximum(Z, 0)

    def _backward(dout):
        return dout * (Z > 0)       # 0 at exactly 0
    return out, _backward


def cross_entropy(Z, y):
    n = Z.shape[0]
    Zs = Z - Z.max(1, keepdims=True)
    logprobs = Zs - np.log(np.exp(Zs).sum(1, keepdims=True))
    out = -logprobs[range(n), y].mean()

    def _backward(dout=1.0):
        dZ = np.exp(logprobs)
        dZ[range(n), y] -= 1
        dZ *= dout / n
        return dZ
    return out, _backward


def forward(X, y, W1, b1, W2, b2):
    Z1, back1 = matmul_add(X, W1, b1)      # (B, H)
    H1, back_relu = relu(Z1)               # (B, H)
    Z2, back2 = matmul_add(H1, W2, b2)     # (B, C)
    loss, back_loss = cross_entropy(Z2, y) # ()
    return loss, [back1, back_relu, back2, back_loss]


def backward(tape):
    back1, back_relu, back2, back_loss = tape
    dZ2 = back_loss()
    dH1, dW2, db2 = back2(dZ2)
    dZ1 = back_relu(dH1)
    dX, dW1, db1 = back1(dZ1)
    return dX, dW1, db1, dW2, db2


def torch_grads(X, y, W1, b1, W2, b2):
    ts = [torch.from_numpy(np.array(a)).requires_grad_() for a in (X, W1, b1, W2, b2)]
    x, w1, bb1, w2, bb2 = ts
    loss = F.cross_entropy(F.relu(x @ w1 + bb1) @ w2 + bb2, torch.as_tensor(y, dtype=torch.long))
    for t in ts:
        t.grad = None
    loss.backward()
    return loss.item(), [t.grad for t in ts]


# makemore-style comparison
def cmp(s, dt, t):
    dt = torch.from_numpy(dt)
    ex = torch.all(dt == t).item()
    app = dt.shape == t.shape and torch.allclose(dt, t, rtol=1e-6, atol=1e-10)
    maxdiff = (dt - t).abs().max().item()
    print(f'{s:5s} | exact: {str(ex):5s} | approximate: {str(app):5s} | maxdiff: {maxdiff}')
    return app


def verify(seed=42):
    g = np.random.default_rng(seed)
    B, D, H, C = 8, 10, 12, 5
    args = (g.normal(size=(B, D)), g.integers(0, C, B), g.normal(size=(D, H)), g.normal(size=H),
            g.normal(size=(H, C)), g.normal(size=C))
    _, tape = forward(*args)
    ours = backward(tape)
    _, theirs = torch_grads(*args)
    return all([cmp(n, a, b) for n, a, b in zip(['X', 'W1', 'b1', 'W2', 'b2'], ours, theirs)])


if __name__ == '__main__':
    print(verify())
