"""A network in a contract style drawn at random: layout, names, packaging and returns.

Every choice is one that people make; the core between them is right, or has one planted fault.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

NAMES = (
    ("X", "y", "W1", "b1", "W2", "b2"),
    ("x", "labels", "w1", "b1", "w2", "b2"),
    ("inputs", "targets", "weights_1", "bias_1", "weights_2", "bias_2"),
    ("X_batch", "Y", "W_h", "b_h", "W_o", "b_o"),
)
ORDERS = ((0, 1, 2, 3, 4, 5), (0, 2, 3, 4, 5, 1), (2, 3, 4, 5, 0, 1), (1, 0, 2, 4, 3, 5))
PACKAGES = ("arguments", "dictionary", "class", "one call")
RETURNS = ("dW1", "grad_W1", "W1", "tuple")
LABELS = ("index", "onehot")
FAULTS = {
    "": "",
    "mean": "grad-missing-batch-mean",
    "mask": "relu-mask-missing",
    "sign": "grad-sign",
}


@dataclass(frozen=True)
class Style:
    """What was drawn; `fault` names the planted mistake, "" for none."""

    columns: bool
    names: tuple[str, ...]
    order: tuple[int, ...]
    package: str
    returns: str
    labels: str
    fault: str

    @property
    def text(self) -> str:
        """The source of a submission in this style."""
        return "import numpy as np\n\n\n" + "\n\n\n".join(self._parts())

    # ── the network, once for rows and once for columns ──────────────────────

    def _forward(self) -> str:
        X, y, W1, b1, W2, b2 = self.names
        axis = 0 if self.columns else 1
        linear = "{w} @ {x} + {b}" if self.columns else "{x} @ {w} + {b}"
        count = f"{X}.shape[{1 - axis}]"
        hot = y if self.labels == "onehot" else f"np.eye(Z2.shape[{axis}])[{y}]"
        if self.labels == "index" and self.columns:
            hot += ".T"
        return f"""
    Z1 = {linear.format(w=W1, x=X, b=b1)}
    H1 = np.maximum(Z1, 0)
    Z2 = {linear.format(w=W2, x="H1", b=b2)}
    shifted = Z2 - Z2.max(axis={axis}, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis={axis}, keepdims=True))
    hot = ({hot}).astype({X}.dtype)
    count = {count}
    loss = -(hot * log_probs).sum() / count"""

    def _backward(self) -> str:
        X, _, W1, _, W2, _ = self.names
        mean = "" if self.fault == "mean" else " / count"
        delta = "hot - np.exp(log_probs)" if self.fault == "sign" else "np.exp(log_probs) - hot"
        gate = "" if self.fault == "mask" else " * (Z1 > 0)"
        if self.columns:
            return f"""
    dZ2 = ({delta}){mean}
    dZ1 = ({W2}.T @ dZ2){gate}
    dW1, db1 = dZ1 @ {X}.T, dZ1.sum(axis=1, keepdims=True)
    dW2, db2 = dZ2 @ H1.T, dZ2.sum(axis=1, keepdims=True)
    dX = {W1}.T @ dZ1"""
        return f"""
    dZ2 = ({delta}){mean}
    dZ1 = (dZ2 @ {W2}.T){gate}
    dW1, db1 = {X}.T @ dZ1, dZ1.sum(axis=0)
    dW2, db2 = H1.T @ dZ2, dZ2.sum(axis=0)
    dX = dZ1 @ {W1}.T"""

    def _gradients(self) -> str:
        found = ("dW1", "db1", "dW2", "db2", "dX")
        if self.returns == "tuple":
            return ", ".join(found)
        keys = [self.returns.replace("W1", name[1:]) for name in found]
        return "{" + ", ".join(f'"{k}": {v}' for k, v in zip(keys, found, strict=True)) + "}"

    # ── how it is packed ─────────────────────────────────────────────────────

    def _parts(self) -> list[str]:
        if self.package == "class":
            return [self._class()]
        X, y, *weights = self.names
        signature = ", ".join(self.names[i] for i in self.order)
        unpack = ""
        if self.package == "dictionary":
            signature = f"params, {X}, {y}" if self.order[0] else f"{X}, {y}, params"
            unpack = "".join(f'\n    {w} = params["{w}"]' for w in weights)
        if self.package == "one call":
            body = f"{self._forward()}{self._backward()}\n    return loss, {self._packed()}"
            return [f"def loss_and_gradients({signature}):{body}"]
        kept = f"{X}, {weights[0]}, {weights[2]}, Z1, H1, log_probs, hot, count"
        return [
            f"def forward_pass({signature}):{unpack}{self._forward()}\n    return loss, ({kept})",
            f"def backward_pass(cache):\n    {kept} = cache{self._backward()}"
            f"\n    return {self._gradients()}",
        ]

    def _packed(self) -> str:
        return f"({self._gradients()})" if self.returns == "tuple" else self._gradients()

    def _class(self) -> str:
        X, y, W1, b1, W2, b2 = self.names
        shapes = (
            ("(h, d)", "(h, 1)", "(c, h)", "(c, 1)")
            if self.columns
            else ("(d, h)", "h", "(h, c)", "c")
        )
        made = "".join(
            f"\n        self.{w} = np.zeros({s})"
            for w, s in zip((W1, b1, W2, b2), shapes, strict=True)
        )
        load = "".join(f"\n    {w} = self.{w}" for w in (W1, b1, W2, b2))
        kept = f"{X}, Z1, H1, log_probs, hot, count"
        keep = f"\n    self.kept = {kept}"
        forward = f"def forward(self, {X}, {y}):{load}{self._forward()}{keep}\n    return loss"
        backward = f"def backward(self):{load}\n    {kept} = self.kept{self._backward()}\n    return {self._gradients()}"
        methods = f"def __init__(self, d, h, c):{made}".replace("\n        ", "\n    ")
        inside = "\n\n".join((methods, forward, backward)).replace("\n", "\n    ")
        return f"class Net:\n    {inside}"


styles = st.builds(
    Style,
    columns=st.booleans(),
    names=st.sampled_from(NAMES),
    order=st.sampled_from(ORDERS),
    package=st.sampled_from(PACKAGES),
    returns=st.sampled_from(RETURNS),
    labels=st.sampled_from(LABELS),
    fault=st.sampled_from(sorted(FAULTS)),
)
