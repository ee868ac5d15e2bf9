import numpy as np
import torch
import torch.nn.functional as F

# small MATLAB-like helpers (dim counts from 1, the reduced dimension is kept)
def msum(A, dim):
    return np.sum(A, axis=dim - 1, keepdims=True)

def mmax(A, dim):
    return np.max(A, axis=dim - 1, keepdims=True)

def sub2ind_get(A, rows, cols):
    return A[rows, cols]


def logsoftmax(Z):
    Z = Z - mmax(Z, 1)
    return Z - np.log(msum(np.exp(Z), 1))


def fwd(X, y, theta):
    # theta.W1 is D x H, theta.b1 is 1 x H or H, same for layer 2
    Z1 = X @ theta['W1'] + theta['b1']       # B x H
    H1 = (Z1 > 0) * Z1                       # B x H
    Z2 = H1 @ theta['W2'] + theta['b2']      # B x C
    L = logsoftmax(Z2)                       # B x C
    m = X.shape[0]
    J = -np.mean(sub2ind_get(L, np.arange(m), y))
    mem = dict(X=X, y=y, Z1=Z1, H1=H1, L=L, theta=theta)
    return J, mem


def bwd(mem):
    X, y, Z1, H1, theta = mem['X'], mem['y'], mem['Z1'], mem['H1'], mem['theta']
    m, C = mem['L'].shape
    T = np.zeros((m, C))
    T[np.arange(m), y] = 1
    D2 = (np.exp(mem['L']) - T) / m
    D1 = (D2 @ theta['W2'].T) * (Z1 > 0)
    g = {}
    g['W2'] = H1.T @ D2
    g['b2'] = msum(D2, 1).ravel()
    g['W1'] = X.T @ D1
    g['b1'] = msum(D1, 1).ravel()
    g['X'] = D1 @ theta['W1'].T
    return g


def autograd_version(X, y, theta):
    t = {k: torch.tensor(v, requires_grad=True) for k, v in theta.items()}
    Xt = torch.tensor(X, requires_grad=True)
    Z2 = torch.relu(Xt @ t['W1'] + t['b1']) @ t['W2'] + t['b2']
    J = F.cross_entropy(Z2, torch.tensor(y, dtype=torch.int64))
    J.backward()
    g = {k: v.grad.numpy() for k, v in t.items()}
    g['X'] = Xt.grad.numpy()
    return J.item(), g


def compare(X, y, theta):
    J, mem = fwd(X, y, theta)
    g = bwd(mem)
    Jt, gt = autograd_version(X, y, theta)
    fprintf = lambda s, *a: print(s % a)
    fprintf('J       numpy %12.8f   torch %12.8f', J, Jt)
    for k in ('W1', 'b1', 'W2', 'b2', 'X'):
        fprintf('d%-6s |numpy| %12.8f   |torch| %12.8f   max diff %.3e', k,
                np.linalg.norm(g[k]), np.linalg.norm(gt[k]), np.max(np.abs(g[k] - gt[k])))


if __name__ == '__main__':
    np.random.seed(0)
    B, D, H, C = 20, 6, 10, 4
    theta = {'W1': 0.3 * np.random.randn(D, H), 'b1': np.zeros(H),
             'W2': 0.3 * np.random.randn(H, C), 'b2': np.zeros(C)}
    compare(np.random.randn(B, D), np.random.randint(0, C, B), theta)
