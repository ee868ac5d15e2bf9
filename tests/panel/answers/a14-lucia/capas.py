"""Capas con interfaz común: adelante / atras."""
import numpy as np


class Lineal:
    def __init__(self, W, b):
        self.W = W
        self.b = b
        self.dW = None
        self.db = None

    def adelante(self, entrada):
        self.entrada = entrada
        return entrada @ self.W + self.b

    def atras(self, d_salida):
        self.dW = self.entrada.T @ d_salida
        self.db = np.sum(d_salida, axis=0)
        return d_salida @ self.W.T


class Relu:
    def adelante(self, z):
        self.z = z
        return np.maximum(z, 0)

    def atras(self, d_salida):
        # en z == 0 tomamos derivada 0, igual que PyTorch
        return d_salida * (self.z > 0)


class EntropiaCruzada:
    """softmax + entropía cruzada media, sobre logits."""

    def adelante(self, logits, etiquetas):
        self.etiquetas = etiquetas
        self.filas = np.arange(logits.shape[0])
        maximo = logits.max(axis=1, keepdims=True)
        self.log_p = logits - maximo - np.log(np.exp(logits - maximo).sum(axis=1, keepdims=True))
        return -self.log_p[self.filas, etiquetas].mean()

    def atras(self):
        d = np.exp(self.log_p)
        d[self.filas, self.etiquetas] -= 1
        return d / self.filas.size
