# Pure-function version: no classes, no state, gradients come back with the structure of the params.
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch.func import grad_and_value


class Params(NamedTuple):
    W1: np.ndarray  # [D, H]
    b1: np.ndarray  # [H]
    W2: np.ndarray  # [H, C]
    b2: np.ndarray  # [C]


def init(key, D, H, C):
    rng = np.random.default_rng(key)
    return Params(
        rng.normal(size=(D, H)) * (2.0 / D) ** 0.5,
        rng.normal(size=H) * 0.1,
        rng.normal(size=(H, C)) * (2.0 / H) ** 0.5,
        rng.normal(size=C) * 0.1,
    )


# each primitive: forward gives (out, residuals), vjp takes (residuals, cotangent)
def dense_fwd(x, w, b):
    return x @ w + b[None, :], (x, w)


def dense_vjp(res, ct):
    x, w = res
    return (np.einsum("bo,io->bi", ct, w),
            np.einsum("bi,bo->io", x, ct),
            np.einsum("bo->o", ct))


def relu_fwd(z):
    return np.where(z > 0, z, 0), z


def relu_vjp(z, ct):
    return ct * (z > 0)


def xent_fwd(logits, labels):
    m = np.max(logits, axis=-1, keepdims=True)
    logp = logits - m - np.log(np.sum(np.exp(logits - m), axis=-1, keepdims=True))
    picked = np.take_along_axis(logp, labels[:, None], axis=-1)
    return -np.mean(picked), (logp, labels)


def xent_vjp(res, ct):
    logp, labels = res
    onehot = (labels[:, None] == np.arange(logp.shape[-1])).astype(logp.dtype)
    return ct * (np.exp(logp) - onehot) / logp.shape[0]


def value_and_grad(params, x, y):
    z1, r1 = dense_fwd(x, params.W1, params.b1)
    h1, rr = relu_fwd(z1)
    z2, r2 = dense_fwd(h1, params.W2, params.b2)
    loss, rl = xent_fwd(z2, y)

    ct_z2 = xent_vjp(rl, 1.0)
    ct_h1, gW2, gb2 = dense_vjp(r2, ct_z2)
    ct_z1 = relu_vjp(rr, ct_h1)
    ct_x, gW1, gb1 = dense_vjp(r1, ct_z1)
    return loss, (Params(gW1, gb1, gW2, gb2), ct_x)


def torch_value_and_grad(params, x, y):
    def loss_fn(p, x_):
        h = F.relu(x_ @ p[0] + p[1])
        return F.cross_entropy(h @ p[2] + p[3], labels)

    labels = torch.as_tensor(y, dtype=torch.long)
    primals = tuple(torch.from_numpy(np.array(p)) for p in params)
    (gp, gx), loss = grad_and_value(loss_fn, argnums=(0, 1))(primals, torch.from_numpy(np.array(x)))
    return loss.item(), (Params(*[g.numpy() for g in gp]), gx.numpy())


def main():
    params = init(0, 7, 13, 5)
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(6, 7)), rng.integers(0, 5, size=6)
    l_np, (g_np, x_np) = value_and_grad(params, x, y)
    l_pt, (g_pt, x_pt) = torch_value_and_grad(params, x, y)
    print(f"loss   {abs(l_np - l_pt):.3e}")
    for name, a, b in zip(Params._fields + ("x",), g_np + (x_np,), g_pt + (x_pt,)):
        assert a.shape == b.shape, name
        print(f"{name:6s} {np.max(np.abs(a - b)):.3e}")


if __name__ == "__main__":
    main()
