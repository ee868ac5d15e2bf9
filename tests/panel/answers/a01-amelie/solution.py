# -*- coding: utf-8 -*-
"""
Petit réseau à deux couches : propagation, rétropropagation à la main,
puis la même chose avec autograd.

    X (B,D) -> S1 (B,H) -> A1 (B,H) -> S2 (B,C) -> perte (scalaire)
"""
import numpy as np
import torch
import torch.nn.functional as F


# ---------- briques ----------

def affine(A, W, b):
    # b a la forme (sorties,), il est ajouté à chaque ligne
    return A @ W + b


def grad_poids(A, dS):
    return A.T @ dS


def grad_biais(dS):
    return dS.sum(axis=0)


def grad_entree(dS, W):
    return dS @ W.T


def log_softmax(S):
    decale = S - S.max(axis=1, keepdims=True)
    return decale - np.log(np.exp(decale).sum(axis=1, keepdims=True))


# ---------- partie 1 ----------

def propagation(X, y, W1, b1, W2, b2):
    S1 = affine(X, W1, b1)
    A1 = np.maximum(S1, 0)
    S2 = affine(A1, W2, b2)
    logp = log_softmax(S2)
    perte = -logp[np.arange(X.shape[0]), y].mean()
    memoire = {"X": X, "y": y, "W1": W1, "W2": W2,
               "S1": S1, "A1": A1, "proba": np.exp(logp)}
    return perte, memoire


# ---------- partie 2 ----------

def retropropagation(memoire):
    X, y = memoire["X"], memoire["y"]
    lot = X.shape[0]

    # softmax + entropie croisée : (p - 1_y) / B, le 1/B n'apparaît qu'ici
    dS2 = memoire["proba"].copy()
    dS2[np.arange(lot), y] -= 1
    dS2 /= lot

    grads = {}
    grads["W2"] = grad_poids(memoire["A1"], dS2)
    grads["b2"] = grad_biais(dS2)

    # ReLU : dérivée nulle en 0 par convention
    dA1 = grad_entree(dS2, memoire["W2"])
    dS1 = dA1 * (memoire["S1"] > 0)

    grads["W1"] = grad_poids(X, dS1)
    grads["b1"] = grad_biais(dA1)
    grads["X"] = grad_entree(dS1, memoire["W1"])
    return grads


# ---------- partie 3 ----------

def avec_torch(X, y, W1, b1, W2, b2):
    feuilles = {n: torch.tensor(v, requires_grad=True)
                for n, v in dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2).items()}
    cible = torch.tensor(y, dtype=torch.long)
    a1 = torch.relu(feuilles["X"] @ feuilles["W1"] + feuilles["b1"])
    logits = a1 @ feuilles["W2"] + feuilles["b2"]
    perte = F.cross_entropy(logits, cible)
    perte.backward()
    return perte.item(), {n: t.grad.numpy() for n, t in feuilles.items()}


def verifier(X, y, W1, b1, W2, b2):
    _, memoire = propagation(X, y, W1, b1, W2, b2)
    main = retropropagation(memoire)
    _, auto = avec_torch(X, y, W1, b1, W2, b2)
    tout_va_bien = True
    for nom in ("W1", "b1", "W2", "b2", "X"):
        ok = main[nom].shape == auto[nom].shape and np.allclose(main[nom], auto[nom], rtol=1e-4, atol=1e-6)
        print(f"{nom:>3} {'ok' if ok else 'ECART'}")
        tout_va_bien = tout_va_bien and ok
    return tout_va_bien


if __name__ == "__main__":
    rng = np.random.default_rng(1)
    B, D, H, C = 16, 12, 20, 5
    print(verifier(rng.normal(size=(B, D)), rng.integers(0, C, B),
                   rng.normal(size=(D, H)) * 0.3, rng.normal(size=H) * 0.1,
                   rng.normal(size=(H, C)) * 0.3, rng.normal(size=C) * 0.1))
