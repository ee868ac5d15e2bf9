# Notation: samples are kets, i.e. columns.  ξ is (D,B), ζ is (H,B), ε is (C,B).
# Greek: layer fields; Θ: Heaviside step (Θ(0)=0); Φ: free energy -> log partition function.
#
#   ζ_hb = W_dh ξ_db + β_h          η = ζ Θ(ζ)
#   ε_cb = V_hc η_hb + γ_c
#   Φ_b  = ln Σ_c exp ε_cb          L = < Φ_b - ε_{y(b) b} >_b
#
#   ∂L/∂ε_cb = (∂Φ_b/∂ε_cb - δ_{c,y(b)}) / B    (Gibbs weight minus Kronecker delta)

import numpy as np
import torch

Σ = np.einsum


def Φ(ε):
    top = ε.max(axis=0)
    return top + np.log(Σ("cb->b", np.exp(ε - top)))


def Θ(ζ):
    return np.heaviside(ζ, 0.0).astype(ζ.dtype)


def observables(X, y, W1, b1, W2, b2):
    ξ = np.asarray(X).T
    ζ = Σ("dh,db->hb", W1, ξ) + b1[:, None]
    η = ζ * Θ(ζ)
    ε = Σ("hc,hb->cb", W2, η) + b2[:, None]
    φ = Φ(ε)
    b = np.arange(ξ.shape[1])
    L = np.mean(φ - ε[y, b])
    return L, (ξ, np.asarray(y), W1, W2, ζ, η, ε - φ)


def responses(state):
    ξ, y, W, V, ζ, η, lnω = state
    B = ξ.shape[1]
    C = lnω.shape[0]
    δ = (np.arange(C)[:, None] == y[None, :])
    j = (np.exp(lnω) - δ) / B                       # current into the logits
    k = Σ("hc,cb->hb", V, j) * Θ(ζ)                 # current through the rectifier
    return dict(
        W2=Σ("hb,cb->hc", η, j),
        b2=Σ("cb->c", j),
        W1=Σ("db,hb->dh", ξ, k),
        b1=Σ("hb->h", k),
        X=Σ("dh,hb->bd", W, k),
    )


def responses_autograd(X, y, W1, b1, W2, b2):
    leaf = {n: torch.tensor(np.asarray(v), requires_grad=True)
            for n, v in (("X", X), ("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2))}
    ζ = torch.einsum("bd,dh->bh", leaf["X"], leaf["W1"]) + leaf["b1"]
    ε = torch.einsum("bh,hc->bc", torch.relu(ζ), leaf["W2"]) + leaf["b2"]
    L = (ε.logsumexp(1) - ε.gather(1, torch.as_tensor(y).long()[:, None])[:, 0]).mean()
    g = torch.autograd.grad(L, list(leaf.values()))
    return float(L), {n: v.numpy() for n, v in zip(leaf, g)}


def discrepancy(*q):
    """Worst relative error ||a-b|| / ||b|| over the five responses."""
    a = responses(observables(*q)[1])
    b = responses_autograd(*q)[1]
    worst = 0.0
    for n in b:
        if a[n].shape != b[n].shape:
            return np.inf
        worst = max(worst, np.linalg.norm(a[n] - b[n]) / (np.linalg.norm(b[n]) + 1e-30))
    return worst


def agreement(*q):
    tol = 1e-4 if np.asarray(q[0]).dtype == np.float32 else 1e-9
    return bool(discrepancy(*q) < tol)


forward, backward = observables, responses
torch_forward_backward, verify = responses_autograd, agreement

if __name__ == "__main__":
    g = np.random.default_rng(137)
    B, D, H, C = 7, 5, 11, 4
    q = (g.standard_normal((B, D)), g.integers(C, size=B), g.standard_normal((D, H)),
         g.standard_normal(H), g.standard_normal((H, C)), g.standard_normal(C))
    print("worst relative discrepancy:", discrepancy(*q))
    print("agreement:", agreement(*q))
