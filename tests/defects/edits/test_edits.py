"""Every template on a few lines of source, and what holds for all edits of all sources."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.defects import BY_CODE, KINDS
from grader.repair.candidates import candidates
from tests.defects.edits.blamed import BACKWARD, FORWARD, TORCH, blame_of, blamed, lines_after

STYLES = Path(__file__).parents[2] / "diagnosis" / "styles"


def versions(code: str, frame: str, line: str) -> list[str]:
    """The line as every candidate leaves it."""
    blame = blamed(frame, line)
    return lines_after(blame, candidates(blame, BY_CODE[code].repairs, widely=True), frame, line)


@pytest.mark.parametrize(
    ("code", "frame", "line", "wanted"),
    [
        ("bias-missing", FORWARD, "Z1 = X @ W1", "Z1 = X @ W1 + b1"),
        ("bias-wrong-axis", FORWARD, "Z1 = X @ W1 + b1[:, None]", "Z1 = X @ W1 + b1"),
        ("relu-missing", FORWARD, "H1 = Z1", "H1 = np.maximum(Z1, 0)"),
        ("relu-replaced", FORWARD, "H1 = np.tanh(X @ W1)", "H1 = np.maximum(X @ W1, 0)"),
        ("relu-on-logits", FORWARD, "Z2 = np.maximum(H1 @ W2, 0)", "Z2 = H1 @ W2"),
        (
            "softmax-no-max-shift",
            FORWARD,
            "E = np.exp(Z2)",
            "E = np.exp(Z2 - Z2.max(axis=1, keepdims=True))",
        ),
        (
            "softmax-global-max",
            FORWARD,
            "S = Z2 - np.max(Z2)",
            "S = Z2 - np.max(Z2, axis=1, keepdims=True)",
        ),
        ("softmax-wrong-axis", FORWARD, "s = E.sum(axis=0)", "s = E.sum(axis=1)"),
        ("softmax-wrong-axis", FORWARD, "s = np.sum(E, 0)", "s = np.sum(E, 1)"),
        (
            "softmax-wrong-broadcast",
            FORWARD,
            "P = E / E.sum(axis=1)",
            "P = E / E.sum(axis=1, keepdims=True)",
        ),
        ("softmax-wrong-broadcast", FORWARD, "P = E / total", "P = E / total[:, None]"),
        (
            "loss-wrong-gather",
            FORWARD,
            "loss = -L[:, y].mean()",
            "loss = -L[np.arange(len(y)), y].mean()",
        ),
        ("loss-sum-not-mean", FORWARD, "loss = -np.sum(L)", "loss = -np.mean(L)"),
        ("loss-mean-over-elements", FORWARD, "loss = -s / P.size", "loss = -s / X.shape[0]"),
        ("loss-sign", FORWARD, "loss = L.mean()", "loss = -L.mean()"),
        ("loss-log-base", FORWARD, "L = np.log2(P)", "L = np.log(P)"),
        ("loss-log-base", FORWARD, "loss = a / np.log(2)", "loss = a"),
        ("loss-not-scalar", FORWARD, "loss = np.array([a])", "loss = a"),
        ("loss-not-scalar", FORWARD, "loss = -L", "loss = (-L).mean()"),
        ("loss-extra-term", FORWARD, "loss = a + 0.1 * np.sum(W1)", "loss = a"),
        ("class-count-from-labels", FORWARD, "Y = np.eye(y.max() + 1)", "Y = np.eye(W2.shape[-1])"),
        ("grad-missing-batch-mean", BACKWARD, "dZ2 = P - Y", "dZ2 = (P - Y) / X.shape[0]"),
        (
            "grad-missing-batch-mean",
            BACKWARD,
            "dZ2[i, y] -= 1",
            "dZ2[i, y] -= 1\n    dZ2 = dZ2 / X.shape[0]",
        ),
        ("grad-double-batch-mean", BACKWARD, "dW2 = H1.T @ dZ2 / B", "dW2 = H1.T @ dZ2"),
        ("grad-double-batch-mean", BACKWARD, "dZ2 /= B; dZ2 /= B", "dZ2 /= B"),
        ("grad-mean-over-classes", BACKWARD, "dZ2 /= P.size", "dZ2 /= X.shape[0]"),
        ("grad-sign", BACKWARD, "dZ2 = Y - P", "dZ2 = P - Y"),
        ("grad-sign", BACKWARD, "dZ2 += a", "dZ2 -= a"),
        (
            "grad-onehot-missing",
            BACKWARD,
            "dZ2 = P",
            "dZ2 = P - (y[:, None] == np.arange(P.shape[1]))",
        ),
        (
            "grad-onehot-missing",
            BACKWARD,
            "dZ2 = P.copy()",
            "dZ2 = P.copy()\n    dZ2[np.arange(len(y)), y] -= 1",
        ),
        ("grad-softmax-derivative", BACKWARD, "dZ2 = D * P * (1 - P)", "dZ2 = D"),
        ("grad-transposed", BACKWARD, "dW2 = (H1.T @ D).T", "dW2 = H1.T @ D"),
        ("grad-transposed", BACKWARD, "dW2 = dZ2.T @ H1", "dW2 = (dZ2.T @ H1).T"),
        ("grad-extra-term", BACKWARD, "dW2 = a + 1e-3 * W2", "dW2 = a"),
        ("weights-updated-early", BACKWARD, "dH1 = D @ (W2 - 0.1 * g).T", "dH1 = D @ W2.T"),
        ("relu-mask-missing", BACKWARD, "dZ1 = dH1", "dZ1 = dH1 * (Z1 > 0)"),
        ("relu-mask-inverted", BACKWARD, "dZ1 = dH1 * (Z1 < 0)", "dZ1 = dH1 * (Z1 > 0)"),
        ("relu-mask-from-gradient", BACKWARD, "dZ1 = dH1 * (dH1 > 0)", "dZ1 = dH1 * (Z1 > 0)"),
        ("relu-mask-is-activation", BACKWARD, "dZ1 = dH1 * H1", "dZ1 = dH1 * (Z1 > 0)"),
        ("dw2-from-preactivation", BACKWARD, "dW2 = Z1.T @ dZ2", "dW2 = H1.T @ dZ2"),
        ("bias-grad-not-summed", BACKWARD, "db2 = dZ2", "db2 = dZ2.sum(axis=0)"),
        ("bias-grad-mean", BACKWARD, "db2 = dZ2.mean(axis=0)", "db2 = dZ2.sum(axis=0)"),
        ("bias-grad-wrong-axis", BACKWARD, "db2 = dZ2.sum(axis=1)", "db2 = dZ2.sum(axis=0)"),
        ("bias-grad-over-everything", BACKWARD, "db2 = np.sum(dZ2)", "db2 = np.sum(dZ2, axis=0)"),
        (
            "bias-grad-keepdims",
            BACKWARD,
            "db2 = dZ2.sum(axis=0, keepdims=True)",
            "db2 = dZ2.sum(axis=0)",
        ),
        ("mutates-cache", BACKWARD, "dZ2 = P", "dZ2 = P.copy()"),
        ("mutates-cache", BACKWARD, "P -= Y", "P = P - Y"),
        ("grad-missing", BACKWARD, 'g = {"W1": dW1}', 'g = {"W1": dW1, "b1": db1}'),
        (
            "torch-reduction-sum",
            TORCH,
            'loss = F.cross_entropy(z, t, reduction="sum")',
            "loss = F.cross_entropy(z, t)",
        ),
        ("torch-double-softmax", TORCH, "z = torch.softmax(s, dim=1)", "z = s"),
        ("torch-graph-detached", TORCH, "h = torch.relu(z).detach()", "h = torch.relu(z)"),
        (
            "torch-leaf-without-grad",
            TORCH,
            "x = torch.tensor(X)",
            "x = torch.tensor(X, requires_grad=True)",
        ),
        (
            "torch-precision-lost",
            TORCH,
            "x = torch.tensor(X, dtype=torch.float32)",
            "x = torch.tensor(X)",
        ),
    ],
)
def test_a_template_is_among_the_first_candidates(
    code: str, frame: str, line: str, wanted: str
) -> None:
    found = versions(code, frame, line)
    assert wanted in found[:48], found[:48]


SOURCES = sorted(STYLES.glob("*.py"))


@settings(max_examples=40)
@given(
    st.sampled_from(SOURCES), st.sampled_from(sorted(k.code for k in KINDS if k.repairs)), st.data()
)
def test_an_edit_parses_and_changes_something(path: Path, code: str, data: st.DataObject) -> None:
    source = path.read_text()
    line = data.draw(st.integers(1, source.count("\n")))
    blame = blame_of(source, line, line + data.draw(st.integers(0, 2)), torch="torch" in code)
    seen = set()
    for edit in candidates(blame, BY_CODE[code].repairs, widely=True):
        edited = blame.text.applied([edit])
        ast.parse(edited)
        assert edited != source.encode()
        seen.add(edit)
        if len(seen) == 60:
            break
