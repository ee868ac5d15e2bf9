"""A script with a command line, a config object, and a comparison of its own numbers."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
import wandb
from loguru import logger

logger.add(sys.stderr, level="INFO")
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass
class Config:
    batch: int = 64
    features: int = 128
    hidden: int = 256
    classes: int = 10
    seed: int = 0


def manual_forward_backward(params: dict, X: np.ndarray, y: np.ndarray):
    W1, b1, W2, b2 = (params[k] for k in ("W1", "b1", "W2", "b2"))
    z1 = X @ W1 + b1
    a1 = np.where(z1 > 0, z1, 0)
    logits = a1 @ W2 + b2
    shifted = logits - logits.max(-1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    loss = -logp[np.arange(len(X)), y].mean()
    dlogits = np.exp(logp)
    dlogits[np.arange(len(X)), y] -= 1.0
    dlogits /= len(X)
    grads = {"W2": a1.T @ dlogits, "b2": dlogits.sum(0)}
    dz1 = (dlogits @ W2.T) * (z1 > 0)
    grads["W1"], grads["b1"], grads["X"] = X.T @ dz1, dz1.sum(0), dz1 @ W1.T
    return loss, grads


def autograd_forward_backward(params: dict, X: np.ndarray, y: np.ndarray):
    t = {k: torch.tensor(v, device=DEVICE, requires_grad=True) for k, v in params.items()}
    xt = torch.tensor(X, device=DEVICE, requires_grad=True)
    h = torch.relu(xt @ t["W1"] + t["b1"])
    loss = F.cross_entropy(h @ t["W2"] + t["b2"], torch.tensor(y, device=DEVICE).long())
    loss.backward()
    grads = {k: v.grad.cpu().numpy() for k, v in t.items()}
    grads["X"] = xt.grad.cpu().numpy()
    return loss.item(), grads


def compare(cfg: Config, rtol=1e-8) -> bool:
    rng = np.random.default_rng(cfg.seed)
    X = rng.standard_normal((cfg.batch, cfg.features))
    y = rng.integers(0, cfg.classes, cfg.batch)
    params = {
        "W1": rng.standard_normal((cfg.features, cfg.hidden)) / np.sqrt(cfg.features),
        "b1": rng.standard_normal(cfg.hidden),
        "W2": rng.standard_normal((cfg.hidden, cfg.classes)) / np.sqrt(cfg.hidden),
        "b2": rng.standard_normal(cfg.classes),
    }
    l1, g1 = manual_forward_backward(params, X, y)
    l2, g2 = autograd_forward_backward(params, X, y)
    ok = np.isclose(l1, l2)
    for k in g1:
        err = np.abs(g1[k] - g2[k]).max() / np.abs(g2[k]).max()
        logger.info(f"{k}: {err:.2e}")
        ok &= err < rtol
    return bool(ok)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, required=True)
    wandb.init(config=vars(parser.parse_args()))
    assert compare(Config())


if __name__ == "__main__":
    sys.exit(main())
