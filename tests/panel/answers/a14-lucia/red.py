import numpy as np

from capas import EntropiaCruzada, Lineal, Relu


class Red:
    """Red secuencial genérica; las dimensiones salen de los pesos."""

    def __init__(self, W1, b1, W2, b2):
        self.capas = [Lineal(W1, b1), Relu(), Lineal(W2, b2)]
        self.perdida = EntropiaCruzada()

    def adelante(self, X, y):
        a = X
        for capa in self.capas:
            a = capa.adelante(a)
        return self.perdida.adelante(a, y)

    def atras(self):
        d = self.perdida.atras()
        for capa in self.capas[::-1]:
            d = capa.atras(d)
        l1, _, l2 = self.capas
        return {"W1": l1.dW, "b1": l1.db, "W2": l2.dW, "b2": l2.db, "X": d}


def forward(X, y, W1, b1, W2, b2):
    red = Red(W1, b1, W2, b2)
    return red.adelante(X, y), red


def backward(red):
    return red.atras()
