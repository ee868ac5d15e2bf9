"""
Solución: la red en NumPy está en red.py (y sus capas en capas.py); aquí están la versión
de PyTorch y la comprobación.
"""
import numpy as np
import torch
from torch import nn

from red import backward, forward


class RedTorch(nn.Module):
    def __init__(self, W1, b1, W2, b2):
        super().__init__()
        d, h = W1.shape
        c = W2.shape[1]
        tipo = torch.from_numpy(W1).dtype
        self.oculta = nn.Linear(d, h, dtype=tipo)
        self.salida = nn.Linear(h, c, dtype=tipo)
        with torch.no_grad():
            self.oculta.weight.copy_(torch.from_numpy(W1).T)
            self.oculta.bias.copy_(torch.from_numpy(b1))
            self.salida.weight.copy_(torch.from_numpy(W2).T)
            self.salida.bias.copy_(torch.from_numpy(b2))

    def forward(self, x):
        return self.salida(torch.relu(self.oculta(x)))


def torch_forward_backward(X, y, W1, b1, W2, b2):
    red = RedTorch(W1, b1, W2, b2)
    x = torch.tensor(X, requires_grad=True)
    perdida = nn.CrossEntropyLoss()(red(x), torch.tensor(y, dtype=torch.long))
    perdida.backward()
    return perdida.item(), {
        "W1": red.oculta.weight.grad.T.numpy(),
        "b1": red.oculta.bias.grad.numpy(),
        "W2": red.salida.weight.grad.T.numpy(),
        "b2": red.salida.bias.grad.numpy(),
        "X": x.grad.numpy(),
    }


def verify(X, y, W1, b1, W2, b2):
    perdida, red = forward(X, y, W1, b1, W2, b2)
    propios = backward(red)
    perdida_t, de_torch = torch_forward_backward(X, y, W1, b1, W2, b2)
    if abs(perdida - perdida_t) > 1e-5 * max(1.0, abs(perdida_t)):
        return False
    for nombre, g in de_torch.items():
        if propios[nombre].shape != g.shape:
            return False
        error = np.linalg.norm(propios[nombre] - g) / max(np.linalg.norm(g), 1e-12)
        if error > 1e-5:
            return False
    return True


def gradient_check(X, y, W1, b1, W2, b2, paso=1e-5):
    """Diferencias centradas, en float64, sobre todas las entradas. Devuelve el peor error relativo."""
    valores = {k: np.array(v, dtype=np.float64)
               for k, v in dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2).items()}
    analitico = backward(forward(y=y, **valores)[1])
    peor = 0.0
    for nombre, v in valores.items():
        num = np.zeros_like(v)
        for i in np.ndindex(v.shape):
            original = v[i]
            v[i] = original + paso
            mas = forward(y=y, **valores)[0]
            v[i] = original - paso
            menos = forward(y=y, **valores)[0]
            v[i] = original
            num[i] = (mas - menos) / (2 * paso)
        dif = np.linalg.norm(num - analitico[nombre])
        peor = max(peor, dif / max(np.linalg.norm(num) + np.linalg.norm(analitico[nombre]), 1e-12))
    return peor


if __name__ == "__main__":
    rng = np.random.default_rng(11)
    B, D, H, C = 6, 5, 8, 3
    datos = (rng.normal(size=(B, D)), rng.integers(0, C, size=B), rng.normal(size=(D, H)),
             rng.normal(size=H), rng.normal(size=(H, C)), rng.normal(size=C))
    print("¿coinciden?", verify(*datos))
    print("diferencias finitas, peor error:", gradient_check(*datos))
