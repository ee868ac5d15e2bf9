"""Each mistake in a layer has a name and a line; two of one kind are one."""

from __future__ import annotations

import pytest

from grader.observe.zygotes import Zygotes
from grader.problem import Exam
from grader.records import Confidence, Severity
from tests.checks import layered
from tests.checks.layered import edited
from tests.sandbox.confined import linux_only

pytestmark = linux_only

SLIPS: list[tuple[str, tuple[tuple[str, str], ...], str]] = [
    ("bias-missing", (("x @ self.W + self.b", "x @ self.W"),), "x @ self.W"),
    ("grad-transposed", (("self.x.T @ upstream", "upstream.T @ self.x"),), "upstream.T"),
    (
        "grad-double-batch-mean",
        (
            ("self.x.T @ upstream", "self.x.T @ upstream / len(upstream)"),
            ("self.db = upstream.sum(axis=0)", "self.db = upstream.mean(axis=0)"),
        ),
        "self.x.T @ upstream /",
    ),
    ("grad-sign", (("self.x.T @ upstream", "-self.x.T @ upstream"),), "-self.x.T"),
    ("bias-grad-not-summed", (("upstream.sum(axis=0)", "upstream"),), "self.db"),
    ("bias-grad-mean", (("upstream.sum(axis=0)", "upstream.mean(axis=0)"),), "self.db"),
    ("bias-grad-wrong-axis", (("upstream.sum(axis=0)", "upstream.sum(axis=1)"),), "self.db"),
    ("bias-grad-over-everything", (("upstream.sum(axis=0)", "np.sum(upstream)"),), "self.db"),
    ("bias-grad-keepdims", (("upstream.sum(axis=0)", "upstream.sum(0, keepdims=True)"),), "self.db"),
    ("grad-missing", (("self.db = upstream.sum(axis=0)", "self.db = None"),), "self.db"),
    ("grad-unexplained", (("self.x.T @ upstream", "self.x.T @ upstream + 1"),), "self.dW"),
    ("relu-missing", (("np.maximum(x, 0)", "x"), ("upstream * self.mask", "upstream")), "return x"),
    (
        "relu-replaced",
        (("np.maximum(x, 0)", "np.tanh(x)"), ("self.mask = x > 0", "self.mask = 1 - np.tanh(x) ** 2")),
        "np.tanh(x)",
    ),
    ("relu-mask-missing", (("upstream * self.mask", "upstream"),), "return upstream"),
    ("relu-mask-from-gradient", (("upstream * self.mask", "upstream * (upstream > 0)"),), "upstream *"),
    ("relu-mask-inverted", (("self.mask = x > 0", "self.mask = x < 0"),), "upstream * self.mask"),
    ("relu-mask-is-activation", (("self.mask = x > 0", "self.mask = np.maximum(x, 0)"),), "upstream *"),
    (
        "relu-mask-from-activation",
        (
            ("self.mask = x > 0", "self.out = np.maximum(x, 0)"),
            ("return np.maximum(x, 0)", "return self.out"),
            ("upstream * self.mask", "upstream * (self.out > 0)"),
        ),
        "self.out > 0",
    ),
    ("loss-sum-not-mean", (("losses.mean()", "losses.sum()"), ("d / len(self.y)", "d")), "losses.sum"),
    ("loss-mean-over-elements", (("losses.mean()", "losses.sum() / logits.size"),), "losses.sum"),
    ("loss-sign", (("losses.mean()", "-losses.mean()"),), "-losses"),
    ("loss-log-base", (("losses.mean()", "losses.mean() / np.log(2)"),), "np.log(2)"),
    ("loss-not-scalar", (("return losses.mean()", "return losses"),), "losses ="),
    ("loss-unexplained", (("losses.mean()", "losses.mean() ** 2"),), "losses.mean() ** 2"),
    (
        "softmax-no-max-shift",
        (("logits - logits.max(axis=1, keepdims=True)", "logits"),),
        "np.exp(shifted)",
    ),
    ("softmax-global-max", (("logits.max(axis=1, keepdims=True)", "logits.max()"),), "logits.max()"),
    (
        "loss-log-underflow",
        (
            ("logP = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))", "e = np.exp(shifted)"),
            ("self.P, self.y = np.exp(logP), y", "self.P, self.y = e / e.sum(axis=1, keepdims=True), y"),
            ("-logP[np.arange(len(y)), y]", "-np.log(self.P[np.arange(len(y)), y])"),
        ),
        "-np.log(self.P",
    ),
    (
        "double-softmax",
        (
            ("np.exp(logP), y", "np.exp(logP), y\n        e = np.exp(self.P)\n        self.P = e / e.sum(1, keepdims=True)"),
            ("-logP[np.arange(len(y)), y]", "-np.log(self.P[np.arange(len(y)), y])"),
        ),
        "losses.mean()",
    ),
    (
        "softmax-wrong-axis",
        (
            ("logits.max(axis=1, keepdims=True)", "logits.max(0)"),
            ("np.exp(shifted).sum(axis=1, keepdims=True)", "np.exp(shifted).sum(0)"),
        ),
        "losses.mean()",
    ),
    (
        "loss-log-base",
        (("losses.mean()", "losses.mean() / np.log(10)"), ("d / len(self.y)", "d / len(self.y) / np.log(10)")),
        "np.log(10)",
    ),
    ("loss-wrong-gather", (("-logP[np.arange(len(y)), y]", "-logP[:, y]"),), "losses.mean()"),
    ("grad-missing-batch-mean", (("d / len(self.y)", "d"),), "-= 1"),
    ("grad-mean-over-classes", (("d / len(self.y)", "d / d.shape[1]"),), "d.shape[1]"),
    ("grad-onehot-missing", (("-= 1", "-= 0"),), "return d / len"),
    ("grad-from-logits", (("np.exp(logP), y", "logits, y"),), "return d / len"),
    ("grad-softmax-derivative", (("return d /", "return d * self.P * (1 - self.P) /"),), "(1 - self.P)"),
    (
        "grad-accumulates",
        (
            ("self.dW =", "self.dW = self.dW +"),
            ("self.db =", "self.db = self.db +"),
            ("self.W, self.b = W, b", "self.W, self.b, self.dW, self.db = W, b, 0 * W, 0 * b"),
        ),
        "self.dW + self.x.T",
    ),
    ("mutates-cache", (("self.P.copy()", "self.P"),), "-= 1"),
    (
        "mutates-input",
        (("return np.maximum(x, 0)", "return np.maximum(x, 0, out=x)"),),
        "out=x",
    ),
    ("hidden-state", (("class ReLU:", "class ReLU:\n    mask = None\n"),
                      ("self.mask = x > 0", "ReLU.mask = x > 0"),), "ReLU.mask ="),
    ("runtime-error", (("self.x.T @ upstream", "self.x @ upstream"),), "self.x @ upstream"),
]  # fmt: skip


@pytest.fixture(scope="module")
def given(zygotes: Zygotes) -> Exam:
    return layered.exam(zygotes.torch)


@pytest.mark.parametrize(("code", "changes", "line"), SLIPS, ids=[s[0] for s in SLIPS])
def test_a_slip_has_its_name_and_its_line(
    code: str, changes: tuple[tuple[str, str], ...], line: str, given: Exam, zygotes: Zygotes
) -> None:
    one = layered.tried(given, zygotes.numpy, edited(*changes))
    assert [d.code for d in one.defects] == [code], [d.message for d in one.defects]
    (defect,) = one.defects
    assert defect.severity is not Severity.MAJOR, "the layers are an extra"
    assert line in (defect.source or ""), defect.source
    sure = code.endswith("unexplained") or code == "hidden-state"
    assert defect.confidence is (Confidence.LIKELY if sure else Confidence.PROVEN)
    assert bool(one.failed) == (code != "relu-mask-from-activation"), "its numbers are right"


def test_right_layers_have_no_defect(given: Exam, zygotes: Zygotes) -> None:
    assert layered.tried(given, zygotes.numpy, layered.RIGHT).defects == ()


def test_a_factor_in_the_wrong_layer_is_one_mistake(given: Exam, zygotes: Zygotes) -> None:
    text = edited(
        ("d / len(self.y)", "d"),
        ("self.x.T @ upstream", "self.x.T @ upstream / len(upstream)"),
        ("upstream.sum(axis=0)", "upstream.mean(axis=0)"),
    )
    one = layered.tried(given, zygotes.numpy, text)
    assert [d.code for d in one.defects] == ["grad-missing-batch-mean"]
    assert "the linear layer divides instead" in one.defects[0].message
    assert one.failed == {"linear", "loss"}


def test_two_bugs_are_two(given: Exam, zygotes: Zygotes) -> None:
    text = edited(("x @ self.W + self.b", "x @ self.W"), ("upstream * self.mask", "upstream"))
    one = layered.tried(given, zygotes.numpy, text)
    assert [d.code for d in one.defects] == ["bias-missing", "relu-mask-missing"]
