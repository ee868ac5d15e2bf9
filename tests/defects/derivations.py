"""Right answers in strange styles, and answers in which nothing is derived for this network.

Each is the NumPy part alone: `forward(X, y, W1, b1, W2, b2)` and `backward(cache)`.
"""

HEAD = "import numpy as np\n\n"

PLAIN = """
def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    S = Z2 - Z2.max(axis=1, keepdims=True)
    logP = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
    return -logP[np.arange(len(y)), y].mean(), (X, y, W1, W2, Z1, H1, np.exp(logP))
"""

RIGHT = {
    "plain": PLAIN
    + """
def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    dZ2 = P.copy()
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 /= len(y)
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": H1.T @ dZ2, "b2": dZ2.sum(0), "X": dZ1 @ W1.T}
""",
    "entries": PLAIN
    + """
def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    B, D = X.shape
    H, C = W2.shape
    g = {"W1": np.zeros((D, H)), "b1": np.zeros(H), "W2": np.zeros((H, C)), "b2": np.zeros(C),
         "X": np.zeros((B, D))}
    for b in range(B):
        for c in range(C):
            up = (P[b, c] - (1.0 if y[b] == c else 0.0)) / B
            g["b2"][c] += up
            for h in range(H):
                g["W2"][h, c] += H1[b, h] * up
                if Z1[b, h] > 0:
                    down = W2[h, c] * up
                    g["b1"][h] += down
                    for d in range(D):
                        g["W1"][d, h] += X[b, d] * down
                        g["X"][b, d] += W1[d, h] * down
    return g
""",
    "entries of the first layer": PLAIN
    + """
def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    dZ2 = (P - np.eye(P.shape[1])[y]) / len(y)
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    dW1 = np.zeros_like(W1)
    for i in range(W1.shape[0]):
        for j in range(W1.shape[1]):
            for b in range(X.shape[0]):
                dW1[i, j] += X[b, i] * dZ1[b, j]
    return {"W1": dW1, "b1": dZ1.sum(0), "W2": H1.T @ dZ2, "b2": dZ2.sum(0), "X": dZ1 @ W1.T}
""",
    "layers again for each entry": PLAIN
    + """
def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    dZ2 = (P - np.eye(P.shape[1])[y]) / len(y)
    dW1 = np.zeros_like(W1)
    for i in range(W1.shape[0]):
        for j in range(W1.shape[1]):
            dW1[i, j] = (X[:, i:i + 1] * (dZ2 @ W2.T) * (Z1 > 0))[:, j].sum()
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    return {"W1": dW1, "b1": dZ1.sum(0), "W2": H1.T @ dZ2, "b2": dZ2.sum(0), "X": dZ1 @ W1.T}
""",
    "everything again for each entry": """
def scores(X, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    return Z1, np.maximum(Z1, 0) @ W2 + b2


def softmax(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def forward(X, y, W1, b1, W2, b2):
    P = softmax(scores(X, W1, b1, W2, b2)[1])
    return -np.log(P[np.arange(len(y)), y]).mean(), (X, y, W1, b1, W2, b2)


def backward(cache):
    X, y, W1, b1, W2, b2 = cache
    onehot = np.eye(W2.shape[1])[y]

    def entry(i, j):
        Z1, Z2 = scores(X, W1, b1, W2, b2)
        return X[:, i] @ (((softmax(Z2) - onehot) @ W2.T) * (Z1 > 0))[:, j] / len(y)

    dW1 = np.array([[entry(i, j) for j in range(W1.shape[1])] for i in range(W1.shape[0])])
    Z1, Z2 = scores(X, W1, b1, W2, b2)
    dZ2 = (softmax(Z2) - onehot) / len(y)
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    return {"W1": dW1, "b1": dZ1.sum(0), "W2": np.maximum(Z1, 0).T @ dZ2, "b2": dZ2.sum(0),
            "X": dZ1 @ W1.T}
""",
    "einsum": PLAIN
    + """
def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    d = np.einsum("bc,->bc", P - np.eye(P.shape[1])[y], 1 / len(y))
    e = np.einsum("bc,hc,bh->bh", d, W2, (Z1 > 0).astype(d.dtype))
    return {"W1": np.einsum("bd,bh->dh", X, e), "b1": np.einsum("bh->h", e),
            "W2": np.einsum("bh,bc->hc", H1, d), "b2": np.einsum("bc->c", d),
            "X": np.einsum("bh,dh->bd", e, W1)}
""",
    "jacobians row by row": PLAIN
    + """
def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    g = {"W1": 0, "b1": 0, "W2": 0, "b2": 0, "X": []}
    for x, label, z, h, p in zip(X, y, Z1, H1, P):
        softmax = np.diag(p) - np.outer(p, p)
        of_loss = np.zeros_like(p)
        of_loss[label] = -1 / p[label]
        up = softmax @ of_loss / len(y)
        gate = np.diag((z > 0).astype(z.dtype))
        below = gate @ W2 @ up
        g["b2"] = g["b2"] + up
        g["W2"] = g["W2"] + np.outer(h, up)
        g["b1"] = g["b1"] + below
        g["W1"] = g["W1"] + np.outer(x, below)
        g["X"].append(W1 @ below)
    return {**g, "X": np.array(g["X"])}
""",
    "full jacobians": PLAIN
    + """
def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    (B, D), (H, C) = X.shape, W2.shape
    up = (P - np.eye(C)[y]) / B
    to_hidden = np.einsum("bh,hc->bch", (Z1 > 0).astype(X.dtype), W2)
    to_W1 = np.einsum("bch,bd->bcdh", to_hidden, X)
    to_X = np.einsum("bch,dh->bcd", to_hidden, W1)
    to_W2 = np.einsum("bh,ce->bche", H1, np.eye(C))
    return {"W1": np.tensordot(up, to_W1, ((0, 1), (0, 1))),
            "b1": np.tensordot(up, to_hidden, ((0, 1), (0, 1))),
            "W2": np.tensordot(up, to_W2, ((0, 1), (0, 1))),
            "b2": up.sum(0), "X": np.einsum("bc,bcd->bd", up, to_X)}
""",
    "layers as objects": """
class Linear:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, up):
        self.dW, self.db = self.x.T @ up, up.sum(axis=0)
        return up @ self.W.T


class Relu:
    def forward(self, x):
        self.on = x > 0
        return np.where(self.on, x, 0)

    def backward(self, up):
        return np.where(self.on, up, 0)


class CrossEntropy:
    def __init__(self, y):
        self.y = y

    def forward(self, z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return -np.log(self.p[np.arange(len(self.y)), self.y]).mean()

    def backward(self, up):
        return up * (self.p - np.eye(self.p.shape[1])[self.y]) / len(self.y)


def forward(X, y, W1, b1, W2, b2):
    layers = [Linear(W1, b1), Relu(), Linear(W2, b2), CrossEntropy(y)]
    value = X
    for layer in layers:
        value = layer.forward(value)
    return value, layers


def backward(cache):
    up = 1.0
    for layer in reversed(cache):
        up = layer.backward(up)
    first, _, second, _ = cache
    return {"W1": first.dW, "b1": first.db, "W2": second.dW, "b2": second.db, "X": up}
""",
    "pullbacks": """
def linear(x, W, b):
    return x @ W + b, lambda up: (up @ W.T, x.T @ up, up.sum(axis=0))


def relu(x):
    return np.maximum(x, 0), lambda up: up * (x > 0)


def cross_entropy(z, y):
    top = z.max(axis=1, keepdims=True)
    logsum = top + np.log(np.exp(z - top).sum(axis=1, keepdims=True))

    def pullback():
        p = np.exp(z - logsum)
        p[np.arange(len(y)), y] -= 1
        return p / len(y)

    return (logsum[:, 0] - z[np.arange(len(y)), y]).mean(), pullback


def forward(X, y, W1, b1, W2, b2):
    z, first = linear(X, W1, b1)
    h, gate = relu(z)
    s, second = linear(h, W2, b2)
    loss, top = cross_entropy(s, y)
    return loss, (first, gate, second, top)


def backward(cache):
    first, gate, second, top = cache
    dH1, dW2, db2 = second(top())
    dX, dW1, db1 = first(gate(dH1))
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}
""",
    "vectorize": PLAIN
    + """
def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    B, C = P.shape
    d = np.vectorize(lambda p, c, t: (p - float(c == t)) / B)(P, np.arange(C)[None], y[:, None])
    e = np.vectorize(lambda g, z: g if z > 0 else 0.0)(d @ W2.T, Z1)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": H1.T @ d, "b2": d.sum(0), "X": e @ W1.T}
""",
    "complex by habit": """
def forward(X, y, W1, b1, W2, b2):
    Z1 = X.astype(complex) @ W1 + b1
    H1 = np.where(Z1.real > 0, Z1, 0)
    Z2 = H1 @ W2 + b2
    E = np.exp(Z2 - Z2.real.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    return -np.log(P[np.arange(len(y)), y]).mean().real, (X, y, W1, W2, Z1, H1, P)


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    dZ2 = (P - np.eye(P.shape[1])[y]) / len(y)
    dZ1 = (dZ2 @ W2.T) * (Z1.real > 0)
    g = {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": H1.T @ dZ2, "b2": dZ2.sum(0), "X": dZ1 @ W1.T}
    return {name: value.real for name, value in g.items()}
""",
    "sums in long double": PLAIN
    + """
def backward(cache):
    X, y, W1, W2, Z1, H1, P = (np.asarray(a, np.longdouble) if a.dtype.kind == "f" else a
                               for a in cache)
    dZ2 = (P - np.eye(P.shape[1], dtype=np.longdouble)[y]) / np.longdouble(len(y))
    dZ1 = np.dot(dZ2, W2.T) * (Z1 > 0)
    g = {"W1": np.dot(X.T, dZ1), "b1": dZ1.sum(0), "W2": np.dot(H1.T, dZ2), "b2": dZ2.sum(0),
         "X": np.dot(dZ1, W1.T)}
    return {name: value.astype(cache[0].dtype) for name, value in g.items()}
""",
    "column vectors": PLAIN
    + """
def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    delta = (P.T - np.eye(P.shape[1])[:, y]) / len(y)
    below = (Z1.T > 0) * (W2 @ delta)
    return {"W1": (below @ X).T, "b1": below.sum(axis=1), "W2": (delta @ H1).T,
            "b2": delta.sum(axis=1), "X": (W1 @ below).T}
""",
    "examples one by one": PLAIN
    + """
def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    def one(b):
        top = P[b] - np.eye(P.shape[1])[y[b]]
        low = np.where(Z1[b] > 0, W2 @ top, 0)
        return np.outer(X[b], low), low, np.outer(H1[b], top), top, W1 @ low
    W1s, b1s, W2s, b2s, Xs = map(np.array, zip(*map(one, range(len(y)))))
    return {"W1": W1s.mean(0), "b1": b1s.mean(0), "W2": W2s.mean(0), "b2": b2s.mean(0),
            "X": Xs / len(y)}
""",
    "already in forward": """
def forward(X, y, W1, b1, W2, b2):
    B, Z1 = len(y), X @ W1 + b1
    H1 = Z1 * (Z1 > 0)
    Z2 = H1 @ W2 + b2
    Z2 = Z2 - Z2.max(1)[:, None]
    total = np.exp(Z2).sum(1)
    d = (np.exp(Z2) / total[:, None] - (np.arange(len(b2)) == y[:, None])) / B
    e = d @ W2.T * (Z1 > 0)
    grads = dict(W1=X.T @ e, b1=e.sum(0), W2=H1.T @ d, b2=d.sum(0), X=e @ W1.T)
    return (np.log(total) - Z2[range(B), y]).mean(), grads


def backward(cache):
    return {name: value.copy() for name, value in cache.items()}
""",
    "sums of Python numbers": PLAIN
    + """
def backward(cache):
    X, y, W1, W2, Z1, H1, P = (a.tolist() for a in cache)
    B, D, H, C = range(len(X)), range(len(W1)), range(len(W2)), range(len(W2[0]))
    d = [[(P[b][c] - (y[b] == c)) / len(B) for c in C] for b in B]
    e = [[sum(d[b][c] * W2[h][c] for c in C) * (Z1[b][h] > 0) for h in H] for b in B]
    return {"W1": np.array([[sum(X[b][i] * e[b][h] for b in B) for h in H] for i in D]),
            "b1": np.array([sum(e[b][h] for b in B) for h in H]),
            "W2": np.array([[sum(H1[b][h] * d[b][c] for b in B) for c in C] for h in H]),
            "b2": np.array([sum(d[b][c] for b in B) for c in C]),
            "X": np.array([[sum(e[b][h] * W1[i][h] for h in H) for i in D] for b in B])}
""",
    "softmax's two terms": PLAIN
    + """
def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    B, rows = len(y), np.arange(len(y))
    on = (Z1 > 0) / B
    W2 = np.asarray(W2)
    all_of_them, own = P @ W2.T * on, W2[:, y].T * on
    hot = np.zeros_like(P)
    hot[rows, y] = 1
    return {"W1": X.T @ all_of_them - X.T @ own, "b1": all_of_them.sum(0) - own.sum(0),
            "W2": (H1.T @ P - H1.T @ hot) / B, "b2": (P.sum(0) - hot.sum(0)) / B,
            "X": all_of_them @ W1.T - own @ W1.T}
""",
}

LOSS = """
def value(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.where(Z1.real > 0, Z1, 0)
    Z2 = H1 @ W2 + b2
    S = Z2 - Z2.real.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(S).sum(axis=1)) - S[np.arange(len(y)), y])


def forward(X, y, W1, b1, W2, b2):
    return value(X, y, W1, b1, W2, b2), (X, y, W1, b1, W2, b2)

"""

ENTRY_BY_ENTRY = (
    LOSS
    + """
def backward(cache):
    X, y, W1, b1, W2, b2 = (np.array(a, TYPE) if a.dtype.kind == "f" else a for a in cache)
    given = {"X": X, "W1": W1, "b1": b1, "W2": W2, "b2": b2}
    out = {}
    for name, array in given.items():
        out[name] = np.zeros(array.shape)
        for i in np.ndindex(array.shape):
            kept = array[i]
            array[i] = kept + STEP
            up = value(y=y, **given)
            out[name][i] = QUOTIENT
            array[i] = kept
    return out
"""
)


def entry_by_entry(type: str, step: str, quotient: str) -> str:
    """Return an answer whose gradients are differences, one entry after another."""
    text = ENTRY_BY_ENTRY.replace("TYPE", type).replace("STEP", step)
    return text.replace("QUOTIENT", quotient)


MINUS = "[array.__setitem__(i, kept - {0}), (up - value(y=y, **given)) / (2 * {0})][1]"

DIFFERENCED = {
    "central": entry_by_entry("float", "1e-5", MINUS.format("1e-5")),
    "one-sided": entry_by_entry("float", "1e-7", "(up - value(*cache)) / 1e-7"),
    "long double": entry_by_entry("np.longdouble", "1e-5", MINUS.format("1e-5")),
    "complex step": entry_by_entry("complex", "1e-30j", "up.imag / 1e-30"),
    "hidden in a string": LOSS.replace("def value", "def plain").replace(
        "return value", "return plain"
    )
    + "names = {'np': np}\nexec(compile('''"
    + ENTRY_BY_ENTRY.replace("TYPE", "float")
    .replace("STEP", "1e-5")
    .replace("QUOTIENT", MINUS.format("1e-5"))
    .replace("def backward", "def slopes")
    + "''', '<text>', 'exec'), names)\n\n\ndef backward(cache):\n    return names['slopes'](cache)\n",
    "batched complex step": """
def value(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1[..., None, :]
    Z2 = (Z1 * (Z1.real > 0)) @ W2 + b2[..., None, :]
    S = Z2 - Z2.real.max(axis=-1, keepdims=True)
    return (np.log(np.exp(S).sum(axis=-1)) - S[..., np.arange(len(y)), y]).mean(-1)


def forward(*given):
    return value(*given), given


def backward(cache):
    given, out = dict(zip(("X", "y", "W1", "b1", "W2", "b2"), cache)), {}
    for name in ("W2", "X", "b2", "W1", "b1"):
        array = given[name]
        steps = array + 1e-100j * np.eye(array.size).reshape(array.size, *array.shape)
        out[name] = (value(**{**given, name: steps}).imag / 1e-100).reshape(array.shape)
    return out
""",
    "batched real steps": """
def value(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1[..., None, :]
    Z2 = np.maximum(Z1, 0) @ W2 + b2[..., None, :]
    S = Z2 - Z2.max(axis=-1, keepdims=True)
    return (np.log(np.exp(S).sum(axis=-1)) - S[..., np.arange(len(y)), y]).mean(-1)


def forward(*given):
    return value(*given), given


def backward(cache):
    given, out = dict(zip(("X", "y", "W1", "b1", "W2", "b2"), cache)), {}
    for name in ("b1", "X", "b2", "W1", "W2"):
        array = given[name]
        steps = 1e-5 * np.eye(array.size).reshape(array.size, *array.shape)
        up, down = (value(**{**given, name: array + sign * steps}) for sign in (1, -1))
        out[name] = ((up - down) / 2e-5).reshape(array.shape)
    return out
""",
    "dual numbers": """
def tangents(X, y, W1, b1, W2, b2, name):
    given = dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2)
    n = given[name].size
    d = {k: np.zeros((1, *v.shape)) for k, v in given.items()}
    d[name] = np.eye(n).reshape(n, *given[name].shape)
    Z1 = X @ W1 + b1
    H1, u = np.maximum(Z1, 0), d["X"] @ W1 + X @ d["W1"] + d["b1"][:, None]
    t = np.where(Z1 > 0, u, 0) @ W2 + H1 @ d["W2"] + d["b2"][:, None]
    E = np.exp(H1 @ W2 + b2)
    P = E / E.sum(axis=1, keepdims=True)
    slopes = (P * t).sum(axis=2) - t[:, np.arange(len(y)), y]
    return slopes.mean(axis=1).reshape(given[name].shape)


def forward(X, y, W1, b1, W2, b2):
    S = np.maximum(X @ W1 + b1, 0) @ W2 + b2
    S = S - S.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(S).sum(axis=1)) - S[np.arange(len(y)), y]), (X, y, W1, b1, W2, b2)


def backward(cache):
    return {name: tangents(*cache, name) for name in ("W1", "b1", "W2", "b2", "X")}
""",
}

ENGINES = {
    "operators": """
class Value:
    def __init__(self, data, parents=()):
        self.data, self.parents, self.grad = data, parents, 0

    def __matmul__(self, other):
        return Value(self.data @ other.data, ((self, lambda g: g @ other.data.T),
                                              (other, lambda g: self.data.T @ g)))

    def __add__(self, other):
        return Value(self.data + other.data, ((self, lambda g: g), (other, lambda g: g.sum(0))))

    def relu(self):
        return Value(np.maximum(self.data, 0), ((self, lambda g: g * (self.data > 0)),))

    def cross_entropy(self, y):
        S = self.data - self.data.max(1, keepdims=True)
        logP, rows = S - np.log(np.exp(S).sum(1, keepdims=True)), np.arange(len(y))

        def pull(g):
            d = np.exp(logP)
            d[rows, y] -= 1
            return g * d / len(y)
        return Value(-logP[rows, y].mean(), ((self, pull),))

    def walk(self):
        order = []

        def visit(node):
            if node not in order:
                for parent, _ in node.parents:
                    visit(parent)
                node.grad = 0
                order.append(node)
        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, pull in node.parents:
                parent.grad = parent.grad + pull(node.grad)


def forward(X, y, W1, b1, W2, b2):
    leaves = [Value(a) for a in (X, W1, b1, W2, b2)]
    x, w1, c1, w2, c2 = leaves
    loss = ((x @ w1 + c1).relu() @ w2 + c2).cross_entropy(y)
    return loss.data, (loss, leaves)


def backward(cache):
    loss, leaves = cache
    loss.walk()
    return {name: leaf.grad for name, leaf in zip(("X", "W1", "b1", "W2", "b2"), leaves)}
""",
    "tape": """
class Node:
    def __init__(self, data):
        self.data, self.grad = data, 0


def matmul(tape, a, b):
    out = Node(a.data @ b.data)

    def back():
        a.grad, b.grad = a.grad + out.grad @ b.data.T, b.grad + a.data.T @ out.grad
    tape.append(back)
    return out


def add(tape, a, b):
    out = Node(a.data + b.data)

    def back():
        a.grad, b.grad = a.grad + out.grad, b.grad + out.grad.sum(0)
    tape.append(back)
    return out


def relu(tape, a):
    out = Node(np.maximum(a.data, 0))
    tape.append(lambda: setattr(a, "grad", a.grad + out.grad * (a.data > 0)))
    return out


def cross_entropy(tape, a, y):
    E = np.exp(a.data - a.data.max(1, keepdims=True))
    P = E / E.sum(1, keepdims=True)
    out = Node(-np.log(P[np.arange(len(y)), y]).mean())
    tape.append(lambda: setattr(a, "grad", a.grad + out.grad * (P - np.eye(P.shape[1])[y]) / len(y)))
    return out


def forward(X, y, W1, b1, W2, b2):
    tape, leaves = [], [Node(a) for a in (X, W1, b1, W2, b2)]
    x, w1, c1, w2, c2 = leaves
    h = relu(tape, add(tape, matmul(tape, x, w1), c1))
    loss = cross_entropy(tape, add(tape, matmul(tape, h, w2), c2), y)
    return loss.data, (tape, loss, leaves)


def backward(cache):
    tape, loss, leaves = cache
    loss.grad = 1.0
    for back in reversed(tape):
        back()
    return {name: leaf.grad for name, leaf in zip(("X", "W1", "b1", "W2", "b2"), leaves)}
""",
}
