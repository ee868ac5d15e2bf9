import numpy as np, torch, torch.nn.functional as F

def affine(A, W, b):
    return A @ W + b

def affine_back(dZ, A, W, n=1):
    # dW, db, dA for Z = A W + b
    return A.T @ dZ / n, dZ.sum(0), dZ @ W.T

def forward(X, y, W1, b1, W2, b2):
    Z1 = affine(X, W1, b1)                     # [B,H]
    H1 = np.maximum(Z1, 0)                     # [B,H]
    Z2 = affine(H1, W2, b2)                    # [B,C]
    S = Z2 - Z2.max(1, keepdims=True)
    logp = S - np.log(np.exp(S).sum(1, keepdims=True))
    loss = -logp[np.arange(len(y)), y].mean()
    return loss, (X, y, W1, W2, Z1, H1, logp)

def backward(cache):
    X, y, W1, W2, Z1, H1, logp = cache
    B = X.shape[0]
    dZ2 = np.exp(logp)
    dZ2[np.arange(B), y] -= 1
    dZ2 /= B                                   # mean lives here
    dW2, db2, dH1 = affine_back(dZ2, H1, W2)
    dZ1 = dH1 * (Z1 > 0)                       # relu'(0) := 0
    dW1, db1, dX = affine_back(dZ1, X, W1, B)
    return dict(W1=dW1, b1=db1, W2=dW2, b2=db2, X=dX)

def torch_forward_backward(X, y, W1, b1, W2, b2):
    P = {k: torch.tensor(v, requires_grad=True) for k, v in dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2).items()}
    out = F.relu(P['X'] @ P['W1'] + P['b1']) @ P['W2'] + P['b2']
    loss = F.cross_entropy(out, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {k: p.grad.numpy() for k, p in P.items()}

def verify(X, y, W1, b1, W2, b2):
    l, c = forward(X, y, W1, b1, W2, b2)
    g = backward(c)
    lt, gt = torch_forward_backward(X, y, W1, b1, W2, b2)
    return bool(np.allclose(l, lt, rtol=1e-4, atol=1e-6)) and all(np.allclose(g[k], gt[k], rtol=1e-4, atol=1e-6) for k in gt)

if __name__ == '__main__':
    r = np.random.RandomState(0)
    B, D, H, C = 16, 8, 12, 4
    print(verify(r.randn(B, D), r.randint(0, C, B), r.randn(D, H), r.randn(H), r.randn(H, C), r.randn(C)))
