"""Backprop with einsum: the letters carry the shapes (b batch, d input, h hidden, c class)."""
import numpy as np
import torch
from numpy import einsum


def log_partition(Z):
    # log sum_c exp(Z_bc), shifted by the max before exp so that it can't overflow
    m = np.max(Z)
    return m + np.log(einsum('bc->b', np.exp(Z - m)))


def forward(X, y, W1, b1, W2, b2):
    Z1 = einsum('bd,dh->bh', X, W1) + b1
    H1 = np.maximum(Z1, 0)
    Z2 = einsum('bh,hc->bc', H1, W2) + b2
    logZ = log_partition(Z2)
    loss = np.mean(logZ - Z2[np.arange(len(Z2)), y])
    probs = np.exp(Z2 - logZ[:, None])
    return loss, dict(X=X, y=y, W1=W1, W2=W2, Z1=Z1, H1=H1, probs=probs)


def backward(cache):
    X, y, W1, W2, Z1, H1, probs = (cache[k] for k in ('X', 'y', 'W1', 'W2', 'Z1', 'H1', 'probs'))
    B, C = probs.shape
    dZ2 = (probs - np.eye(C)[y]) / B
    dH1 = einsum('bc,hc->bh', dZ2, W2)
    dZ1 = np.where(Z1 > 0, dH1, 0)
    return {
        'W1': einsum('bd,bh->dh', X, dZ1),
        'b1': einsum('bh->h', dZ1),
        'W2': einsum('bh,bc->hc', H1, dZ2),
        'b2': einsum('bc->c', dZ2),
        'X': einsum('bh,dh->bd', dZ1, W1),
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = {n: torch.tensor(v).requires_grad_(True)
              for n, v in [('W1', W1), ('b1', b1), ('W2', W2), ('b2', b2), ('X', X)]}
    H1 = torch.relu(torch.einsum('bd,dh->bh', leaves['X'], leaves['W1']) + leaves['b1'])
    Z2 = torch.einsum('bh,hc->bc', H1, leaves['W2']) + leaves['b2']
    loss = torch.nn.functional.cross_entropy(Z2, torch.as_tensor(y).long())
    loss.backward()
    return loss.detach().item(), {n: t.grad for n, t in leaves.items()}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    grads = backward(cache)
    t_loss, t_grads = torch_forward_backward(X, y, W1, b1, W2, b2)
    if not np.isclose(loss, t_loss, rtol=1e-5):
        return False
    for n, t in t_grads.items():
        if grads[n].shape != tuple(t.shape) or not torch.allclose(
                torch.as_tensor(grads[n], dtype=t.dtype), t, rtol=1e-4, atol=1e-6):
            return False
    return True


if __name__ == '__main__':
    g = np.random.default_rng(6)
    B, D, H, C = 11, 6, 9, 4
    print(verify(g.normal(size=(B, D)), g.integers(C, size=B), g.normal(size=(D, H)), g.normal(size=H),
                 g.normal(size=(H, C)), g.normal(size=C)))
