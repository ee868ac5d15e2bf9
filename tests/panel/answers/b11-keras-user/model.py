import numpy as np
import torch
import torch.nn.functional as F


class Backend:
    """The handful of ops I would otherwise take from keras.backend."""
    _EPSILON = 1e-7

    @classmethod
    def epsilon(cls):
        return cls._EPSILON

    @staticmethod
    def softmax(x, axis=-1):
        e = np.exp(x - np.max(x, axis=axis, keepdims=True))
        return e / np.sum(e, axis=axis, keepdims=True)

    @classmethod
    def sparse_categorical_crossentropy(cls, target, output):
        picked = np.take_along_axis(output, np.expand_dims(target, -1), axis=-1)
        return -np.mean(np.log(picked + cls.epsilon()))

    @staticmethod
    def relu(x):
        return np.maximum(x, 0.0)


K = Backend


class TwoLayerClassifier:
    def __init__(self, W1, b1, W2, b2):
        self.weights = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}

    def call(self, X, y):
        w = self.weights
        Z1 = X @ w["W1"] + w["b1"]
        H1 = K.relu(Z1)
        Z2 = H1 @ w["W2"] + w["b2"]
        P = K.softmax(Z2)
        loss = K.sparse_categorical_crossentropy(y, P)
        self._tape = (X, y, Z1, H1, P)
        return loss

    def gradients(self):
        X, y, Z1, H1, P = self._tape
        batch_size, num_classes = P.shape
        y_true = np.eye(num_classes, dtype=P.dtype)[y]
        dZ2 = (P - y_true) / batch_size
        dH1 = dZ2 @ self.weights["W2"].T
        dZ1 = dH1 * (Z1 > 0).astype(dH1.dtype)
        return {
            "W1": X.T @ dZ1,
            "b1": np.sum(dZ1, axis=0),
            "W2": H1.T @ dZ2,
            "b2": np.sum(dZ2, axis=0),
            "X": dZ1 @ self.weights["W1"].T,
        }


def torch_reference(X, y, W1, b1, W2, b2):
    v = {n: torch.tensor(a, requires_grad=True) for n, a in
         {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "X": X}.items()}
    logits = F.linear(F.relu(F.linear(v["X"], v["W1"].t(), v["b1"])), v["W2"].t(), v["b2"])
    loss = F.cross_entropy(logits, torch.as_tensor(y, dtype=torch.long), reduction="mean")
    loss.backward()
    return loss.item(), {n: t.grad.numpy() for n, t in v.items()}


def check_against_torch(X, y, W1, b1, W2, b2):
    model = TwoLayerClassifier(W1, b1, W2, b2)
    loss = model.call(X, y)
    grads = model.gradients()
    ref_loss, ref = torch_reference(X, y, W1, b1, W2, b2)
    print("loss: %.4f  torch: %.4f" % (loss, ref_loss))
    for name, g in grads.items():
        np.testing.assert_allclose(g, ref[name], rtol=1e-5, atol=1e-6, err_msg=name)
    return True


if __name__ == "__main__":
    rng = np.random.RandomState(1337)
    X = rng.normal(size=(12, 5))
    y = rng.randint(0, 4, size=(12,))
    ok = check_against_torch(X, y, rng.normal(size=(5, 9)), rng.normal(size=9), rng.normal(size=(9, 4)), rng.normal(size=4))
    print("gradients agree" if ok else "gradients differ")
