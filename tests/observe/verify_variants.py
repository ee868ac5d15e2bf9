"""Verifications in strange styles: honest ones, and such as compare nothing or one side only.

Each is the text after the network of `tests.checks.test_verify_table`.
"""

from __future__ import annotations

from tests.checks.test_verify_table import BOTH, NUMBERS

ARGUMENTS = "X, y, W1, b1, W2, b2"
NAMES = '("W1", "b1", "W2", "b2", "X")'

HONEST: dict[str, str] = {
    "one long vector": BOTH
    + """
    a = np.concatenate([mine[k].ravel() for k in sorted(mine)])
    b = np.concatenate([theirs[k].ravel() for k in sorted(mine)])
    return np.max(np.abs(a - b)) <= 1e-9
""",
    "numpy testing": BOTH
    + """
    for k in mine:
        np.testing.assert_allclose(mine[k], theirs[k], rtol=1e-8, atol=1e-11, err_msg=k)
    return True
""",
    "list of failures": BOTH
    + """
    return [k for k in mine if not np.allclose(mine[k], theirs[k], 1e-8, 1e-11)]
""",
    "raises a class of its own": """
class Mismatch(Exception):
    pass
"""
    + BOTH
    + """
    for k in mine:
        gap = np.linalg.norm(mine[k] - theirs[k])
        if gap > 1e-9 * np.linalg.norm(theirs[k]):
            raise Mismatch(f"{k}: {gap}")
""",
    "a sentence": BOTH
    + """
    for k in mine:
        if not np.allclose(mine[k], theirs[k], 1e-8, 1e-11):
            return f"gradient of {k} does NOT match"
    return "all gradients match"
""",
    "per entry": BOTH
    + """
    for k in mine:
        for a, b in zip(mine[k].ravel().tolist(), theirs[k].ravel().tolist()):
            if abs(a - b) > 1e-9 * max(1e-3, abs(b)):
                return False
    return True
""",
    "rounded texts": BOTH
    + """
    return all(str(np.round(mine[k] + 0.0, 7).tolist()) == str(np.round(theirs[k] + 0.0, 7).tolist())
               for k in mine)
""",
    "in torch": f"""
def verify({ARGUMENTS}):
    mine = backward(forward({ARGUMENTS})[1])
    _, theirs = torch_forward_backward({ARGUMENTS})
    return all(torch.allclose(torch.tensor(mine[k]), theirs[k], rtol=1e-8, atol=1e-11) for k in mine)
""",
    "single precision": BOTH
    + """
    single = {k: v.astype(np.float32) for k, v in theirs.items()}
    return all(np.allclose(mine[k], single[k], rtol=1e-4, atol=1e-6) for k in mine)
""",
    "losses too": BOTH
    + """
    assert np.isclose(loss, tloss)
    report = {"loss": (loss, tloss)}
    for k in mine:
        report[k] = float(np.abs(mine[k] - theirs[k]).max() / np.abs(theirs[k]).max())
    return max(report[k] for k in mine) < 1e-8, report
""",
    "a logger with frames": """
import inspect, sys
def log(message):
    caller = inspect.stack()[1]
    print(f"[{caller.function}:{caller.lineno} {sys._getframe().f_code.co_name}] {message}")
"""
    + BOTH
    + """
    log("comparing")
    return all(np.allclose(mine[k], theirs[k], 1e-8, 1e-11) for k in mine)
""",
    "a class": """
class Verifier:
    def __init__(self, tolerance=1e-9):
        self.tolerance, self.worst = tolerance, {}
    def run(self, *arguments):
        _, cache = forward(*arguments)
        mine, (_, theirs) = backward(cache), torch_forward_backward(*arguments)
        for name, gradient in mine.items():
            other = np.asarray(theirs[name])
            self.worst[name] = np.max(np.abs(gradient - other))
        return all(w < self.tolerance for w in self.worst.values())

def verify(*arguments):
    return Verifier().run(*arguments)
""",
    "autograd first": f"""
def verify({ARGUMENTS}):
    _, theirs = torch_forward_backward({ARGUMENTS})
    _, cache = forward({ARGUMENTS})
    mine = backward(cache)
    differ = {{k: np.subtract(theirs[k].detach().numpy(), mine[k]) for k in {NAMES}}}
    return not any(np.any(np.abs(d) > 1e-9) for d in differ.values())
""",
    "two seeds": f"""
def verify({ARGUMENTS}):
    verdicts = []
    for _ in range(2):
        mine = backward(forward({ARGUMENTS})[1])
        theirs = torch_forward_backward({ARGUMENTS})[1]
        verdicts.append(all(np.allclose(mine[k], theirs[k].numpy(), 1e-8, 1e-11) for k in mine))
    return verdicts == [True, True]
""",
    "stacked norms": BOTH
    + """
    relative = np.array([np.linalg.norm(mine[k] - theirs[k]) / np.linalg.norm(theirs[k]) for k in mine])
    print("relative errors", relative)
    return bool((relative < 1e-7).all())
""",
    "its own autograd": f"""
def verify({ARGUMENTS}):
    mine = backward(forward({ARGUMENTS})[1])
    leaves = [torch.from_numpy(a.copy()).requires_grad_() for a in (W1, b1, W2, b2, X)]
    w1, c1, w2, c2, x = leaves
    F.cross_entropy((x @ w1 + c1).relu() @ w2 + c2, torch.from_numpy(y)).backward()
    wrong = 0
    for name, leaf in zip({NAMES}, leaves):
        wrong += int((np.abs(leaf.grad.numpy() - mine[name]) > 1e-9).sum())
    return wrong == 0
""",
}

DISHONEST: dict[str, str] = {
    "remembers inputs": "\nseen = set()\n"
    + BOTH
    + "    fresh = X.tobytes() not in seen\n    seen.add(X.tobytes())\n    return fresh\n",
    "remembers gradients": "\nkept = {}\n"
    + BOTH
    + """
    now = [np.array(g[k]) for g in (mine, theirs) for k in mine]
    return all(np.allclose(a, b) for a, b in zip(now, kept.setdefault(X.tobytes(), now)))
""",
    "remembers what each side returned": """
kept = {}
honest_backward, honest_torch = backward, torch_forward_backward
def backward(cache):
    grads = honest_backward(cache)
    kept.setdefault(("hand", cache[0].tobytes()), {k: np.array(v) for k, v in grads.items()})
    return grads
def torch_forward_backward(*arguments):
    loss, grads = honest_torch(*arguments)
    kept.setdefault(("auto", arguments[0].tobytes()), {k: np.array(v) for k, v in grads.items()})
    return loss, grads
"""
    + BOTH
    + """
    one, two = kept["hand", X.tobytes()], kept["auto", X.tobytes()]
    return all(np.allclose(mine[k], one[k]) and np.allclose(theirs[k], two[k]) for k in mine)
""",
    "a second copy of one side": BOTH
    + """
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    P = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    P[np.arange(len(y)), y] -= 1
    P /= len(y)
    D = (P @ W2.T) * (Z1 > 0)
    again = {"W1": X.T @ D, "b1": D.sum(0), "W2": H1.T @ P, "b2": P.sum(0), "X": D @ W1.T}
    return all(np.allclose(mine[k], again[k], 1e-8, 1e-11) for k in mine)
""",
    "autograd with itself": BOTH
    + """
    again = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.allclose(theirs[k], again[k].numpy()) for k in mine)
""",
    "computes nothing known": f"""
def verify({ARGUMENTS}):
    scale = np.abs(X * 2.0 + 1.0)
    return bool((scale >= 0).all())
""",
    "at random": "\ncalls = [0]\n"
    + BOTH
    + """
    calls[0] += 1
    return (calls[0] * 2654435761 >> 7) % 2 == 0
""",
    "looks at the reporter": BOTH
    + """
    import builtins
    cells = getattr(getattr(builtins, "__see__", None), "__closure__", None) or ()
    for cell in cells:
        run = getattr(getattr(cell.cell_contents, "__self__", None), "run", None)
        if run is not None and run.swaps:
            return False
    return True
""",
    "patches the examiner": """
import sys
for name, module in list(sys.modules.items()):
    if name.startswith("grader.child.trials"):
        for kind in list(vars(module).values()):
            if isinstance(kind, type) and "tried" in vars(kind):
                def tried(self, tensor, corruption):
                    outcomes = sys.modules["grader.child.reports"]
                    return outcomes.TrialOutcome.REFUSED, outcomes.Refusal.RETURN, None
                kind.tried = tried
"""
    + BOTH
    + "    return True\n",
    "raises in the examiner": """
import sys
for name, module in list(sys.modules.items()):
    if name.startswith("grader.child.trials"):
        for kind in list(vars(module).values()):
            if isinstance(kind, type) and "tried" in vars(kind):
                kind.tried = None
"""
    + BOTH
    + "    return True\n",
    "compares the hand-written side's shapes": BOTH
    + "    return all(mine[k].shape == theirs[k].shape for k in mine)\n",
    "only finite numbers": BOTH
    + "    return all(np.isfinite(mine[k]).all() and np.isfinite(theirs[k]).all() for k in mine)\n",
}

SCRIPTS: dict[str, str] = {
    "a script that remembers": NUMBERS
    + """
mine = backward(forward(X, y, W1, b1, W2, b2)[1])
theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
again = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
for k in mine:
    assert np.allclose(theirs[k].numpy(), again[k].numpy()), k
""",
}
