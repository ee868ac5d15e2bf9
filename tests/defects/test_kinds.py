"""The table of defect codes: complete, well-formed, and its examples tell the truth."""

import ast
import re
import textwrap
from collections import Counter

import numpy as np
import pytest
import torch

from grader.checks import ALL_CHECKS
from grader.defects import KINDS
from grader.defects.signs import calls
from grader.errors import CallerError
from grader.explain import explanation
from grader.problem.cases import make_cases
from grader.problem.oracle import expected
from grader.records import Part, Severity

PUBLISHED = """
syntax-error import-error missing-function incomplete wrong-signature wrong-return runtime-error
timeout memory-limit output-limit crash sandbox-violation framework-in-numpy-part numeric-gradient
nondeterministic mutates-input hidden-state mutates-cache class-count-from-labels hard-coded-size
python2-source harness-access

bias-missing bias-wrong-axis relu-missing relu-replaced relu-clipped softmax-no-max-shift softmax-global-max
softmax-wrong-axis softmax-wrong-broadcast double-softmax relu-on-logits loss-log-underflow
loss-log-epsilon loss-sum-not-mean loss-mean-over-elements loss-wrong-gather loss-sign
loss-log-base loss-not-scalar loss-extra-term

grad-missing-batch-mean grad-double-batch-mean grad-mean-over-classes grad-sign
grad-onehot-missing grad-softmax-derivative grad-from-logits relu-mask-missing
relu-mask-from-activation relu-mask-from-gradient relu-mask-inverted relu-mask-is-activation
relu-zero-convention dw2-from-preactivation grad-transposed bias-grad-not-summed bias-grad-mean
bias-grad-wrong-axis bias-grad-over-everything bias-grad-keepdims grad-missing grad-extra-term
weights-updated-early grad-accumulates grad-inconsistent-with-loss grad-unexplained
loss-unexplained recomputes-forward

torch-double-softmax torch-reduction-sum torch-grad-accumulates torch-leaf-without-grad
torch-graph-detached torch-inplace torch-manual-gradient torch-precision-lost

verify-missing verify-always-true verify-partial verify-loose-tolerance verify-rejects-correct
verify-different-inputs fd-one-sided fd-step-too-large fd-step-too-small fd-always-passes
"""

TABLE = {entry.code: entry for entry in KINDS}
UNREADABLE = {"syntax-error", "python2-source"}
MINOR = {"relu-mask-from-activation", "fd-one-sided", "fd-step-too-large", "fd-step-too-small"}
INFO = {"relu-zero-convention", "recomputes-forward"}

WRONG_VALUE = {
    # code: (the case on which it shows, what to compare after running the example)
    "nondeterministic": ("primes", "Z1"),
    "runtime-error": ("primes", "dW1"),
    "class-count-from-labels": ("absent", "onehot"),
    "hard-coded-size": ("primes", "dZ2"),
    "mutates-cache": ("primes", "P"),
    "bias-missing": ("primes", "Z1"),
    "bias-wrong-axis": ("batch_is_hidden", "Z1"),
    "relu-missing": ("primes", "H1"),
    "relu-replaced": ("primes", "H1"),
    "relu-clipped": ("primes", "H1"),
    "softmax-no-max-shift": ("overflow", "P"),
    "softmax-global-max": ("offsets", "P"),
    "softmax-wrong-axis": ("primes", "P"),
    "softmax-wrong-broadcast": ("batch_is_classes", "P"),
    "double-softmax": ("primes", "P"),
    "relu-on-logits": ("primes", "Z2"),
    "loss-log-underflow": ("underflow", "loss"),
    "loss-log-epsilon": ("underflow", "loss"),
    "loss-sum-not-mean": ("primes", "loss"),
    "loss-mean-over-elements": ("primes", "loss"),
    "loss-wrong-gather": ("primes", "loss"),
    "loss-sign": ("primes", "loss"),
    "loss-log-base": ("primes", "loss"),
    "loss-not-scalar": ("primes", "loss"),
    "loss-extra-term": ("primes", "loss"),
    "loss-unexplained": ("primes", "loss"),
    "grad-missing-batch-mean": ("primes", "dZ2"),
    "grad-double-batch-mean": ("primes", "dW2"),
    "grad-mean-over-classes": ("primes", "dZ2"),
    "grad-sign": ("primes", "dZ2"),
    "grad-onehot-missing": ("primes", "dZ2"),
    "grad-softmax-derivative": ("primes", "dZ2"),
    "grad-from-logits": ("primes", "dZ2"),
    "grad-missing": ("primes", "grads['X']"),
    "grad-extra-term": ("primes", "dW2"),
    "weights-updated-early": ("primes", "dH1"),
    "grad-accumulates": ("primes", "grads['W2']"),
    "grad-inconsistent-with-loss": ("primes", "loss"),
    "grad-unexplained": ("primes", "dH1"),
    "relu-mask-missing": ("primes", "dW1"),
    "relu-mask-from-gradient": ("primes", "dZ1"),
    "relu-mask-inverted": ("primes", "dZ1"),
    "relu-mask-is-activation": ("primes", "dZ1"),
    "relu-zero-convention": ("zeros", "dZ1"),
    "dw2-from-preactivation": ("primes", "dW2"),
    "grad-transposed": ("square", "dW2"),
    "bias-grad-not-summed": ("primes", "db2"),
    "bias-grad-mean": ("primes", "db2"),
    "bias-grad-wrong-axis": ("batch_is_classes", "db2"),
    "bias-grad-over-everything": ("primes", "db2"),
    "bias-grad-keepdims": ("primes", "db2"),
    "torch-precision-lost": ("primes", "leaf.numpy()"),
}
SAME_VALUE = {
    "relu-mask-from-activation": ("primes", "dZ1"),
    "timeout": ("primes", "Z1"),
    "memory-limit": ("primes", "dZ1"),
}
"""Mistakes whose numbers are right; their cost lies elsewhere."""

VERDICTS = {
    # code: what is done to the gradients of the one side, and the right verdict
    "verify-always-true": (lambda grads: grads["W1"].__imul__(1.5), False),
    "verify-partial": (lambda grads: grads["b1"].__imul__(1.01), False),
    "verify-loose-tolerance": (lambda grads: grads["W2"].__imul__(1.01), False),
    "verify-rejects-correct": (lambda grads: grads["X"].__imul__(1 + 2**-52), True),
}


@pytest.fixture(scope="module")
def cases():
    return make_cases(20)


def namespace(case):
    """The contract's names on `case`, every value by autograd."""
    names = {"np": np, "torch": torch, "F": torch.nn.functional, **case.sizes}
    names |= {n: np.array(v) for n, v in case.inputs.items()}
    names |= {n: np.array(v) for n, v in expected(**case.inputs).items()}
    names["onehot"] = np.eye(case.sizes["C"])[case.y]
    names["grads"] = {n: np.ones_like(names[n]) for n in ("W1", "b1", "W2", "b2", "X")}
    names["softmax"] = lambda Z: torch.softmax(torch.from_numpy(Z), 1).numpy()
    return names


def run(source, names):
    exec(compile(textwrap.dedent(source), "<example>", "exec"), names)
    return names


def value(source, names, wanted):
    """`wanted` after `source` ran; None where it raised or left nothing of that name."""
    try:
        with np.errstate(all="ignore"):
            return np.asarray(eval(wanted, run(source, names)))
    except (ValueError, KeyError):
        return None


def truth(wanted, names):
    """What the oracle says about the expression compared."""
    if wanted.startswith("grads"):
        return names["d" + wanted[7:-2]]
    return names["W1" if wanted == "leaf.numpy()" else wanted]


def close(a, b):
    return a is not None and a.shape == b.shape and np.allclose(a, b, rtol=1e-10, atol=1e-13)


# ── the table ────────────────────────────────────────────────────────────────


def test_every_published_code_stands_in_it_once():
    assert Counter(entry.code for entry in KINDS) == Counter(PUBLISHED.split())


@pytest.mark.parametrize("entry", KINDS, ids=lambda entry: entry.code)
class TestEntry:
    def test_is_filled_in(self, entry):
        assert entry.part in Part
        for text in (entry.what, entry.shows, entry.why, entry.hint, entry.wrong, entry.right):
            assert text.strip() == text
            assert text
        for sentence in (entry.what, entry.shows, entry.why):
            assert sentence.endswith(".")
        assert entry.hint[-1] in ".?"

    def test_is_short(self, entry):
        assert "\n" not in entry.what + entry.shows + entry.hint
        assert len(entry.why.splitlines()) <= 2
        for example in (entry.wrong, entry.right):
            assert 1 <= len(example.splitlines()) <= 4
            assert max(map(len, example.splitlines())) <= 90

    def test_has_its_severity(self, entry):
        groups = {Severity.MINOR: MINOR, Severity.INFO: INFO}
        named = [s for s, codes in groups.items() if entry.code in codes]
        assert [entry.severity] == (named or [Severity.MAJOR])

    def test_examples_are_python_and_differ(self, entry):
        right = ast.dump(ast.parse(textwrap.dedent(entry.right)))
        if entry.code in UNREADABLE:
            with pytest.raises(SyntaxError):
                compile(textwrap.dedent(entry.wrong), "<wrong>", "exec")
        else:
            compile(textwrap.dedent(entry.wrong), "<wrong>", "exec")
            assert ast.dump(ast.parse(textwrap.dedent(entry.wrong))) != right

    def test_names_checks_that_exist(self, entry):
        known = {check.id for check in ALL_CHECKS}
        parts = "submission|forward|backward|pytorch|verification"
        named = re.findall(rf"\b(?:{parts})\.\w+", entry.shows + entry.hint)
        assert set(named) <= known

    def test_is_explained(self, entry):
        text = explanation(entry.code)
        assert text.startswith(f"{entry.code} — {entry.what}")
        for fact in (entry.part, entry.severity, entry.shows, entry.hint):
            assert fact in text
        for line in [*entry.why.splitlines(), *entry.wrong.splitlines(), *entry.right.splitlines()]:
            assert line in text
        assert text.index("\nWrong\n") < text.index("\nRight\n")


def test_texts_are_not_copied_from_one_another():
    for field in ("what", "hint"):
        texts = [getattr(entry, field) for entry in KINDS]
        assert len(set(texts)) == len(texts)


def test_all_are_listed():
    text = explanation("all")
    assert all(re.search(rf"^{entry.code} ", text, re.MULTILINE) for entry in KINDS)


def test_an_unknown_code_gets_the_nearest():
    with pytest.raises(CallerError, match="relu-mask-missing"):
        explanation("relu-mask-mising")


def test_each_ending_of_a_call_has_one_kind():
    endings = [kind.ending for kind in KINDS if kind.ending is not None]
    assert len(set(endings)) == len(endings) == len(calls.BY_ENDING)


def test_a_fault_bears_the_code_of_its_kind():
    assert all(fault.code == kind.code for kind in KINDS for fault in kind.faults)


@pytest.mark.parametrize("entry", KINDS, ids=lambda entry: entry.code)
def test_a_kind_asks_one_question(entry):
    assert entry.ask.endswith("?")
    assert len(entry.ask) <= 120


def test_what_a_kind_covers_and_goes_by_in_pytorch_are_kinds():
    covered = {code for kind in KINDS for cover in kind.covers for code in cover.codes}
    assert covered <= TABLE.keys()
    assert {kind.in_pytorch for kind in KINDS} - {""} <= TABLE.keys()


def test_what_a_kind_reaches_are_checks():
    known = [check.id for check in ALL_CHECKS]
    named = {pattern for kind in KINDS for pattern in (*kind.reaches, kind.refuted_by)}
    named |= {c for k in KINDS for s in k.signs for c in (*s.checks, s.unless, s.beside)}
    for pattern in named - {""}:
        assert any(id == pattern or id.startswith(pattern.rstrip("*")) for id in known), pattern


# ── the examples, run ────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", WRONG_VALUE)
def test_wrong_example_is_wrong_and_right_one_right(code, cases):
    case, wanted = WRONG_VALUE[code]
    entry, names = TABLE[code], namespace(cases[case])
    answer = names["onehot"] if wanted == "onehot" else truth(wanted, names)
    assert close(value(entry.right, namespace(cases[case]), wanted), answer)
    assert not close(value(entry.wrong, namespace(cases[case]), wanted), answer)


@pytest.mark.parametrize("code", SAME_VALUE)
def test_both_examples_give_the_same_numbers(code, cases):
    case, wanted = SAME_VALUE[code]
    answer = truth(wanted, namespace(cases[case]))
    for source in (TABLE[code].right, TABLE[code].wrong):
        assert close(value(source, namespace(cases[case]), wanted), answer)


def test_ordinary_cases_do_not_see_what_only_hard_ones_show(cases):
    for code in ("softmax-no-max-shift", "softmax-global-max", "loss-log-underflow"):
        wanted = WRONG_VALUE[code][1]
        names = namespace(cases["primes"])
        answer = truth(wanted, names)
        assert close(value(TABLE[code].wrong, names, wanted), answer)


def test_a_step_in_place_reaches_the_caller(cases):
    entry = TABLE["mutates-input"]
    for source, touched in ((entry.wrong, True), (entry.right, False)):
        names = namespace(cases["primes"])
        callers, before = names["W1"], names["W1"].copy()
        run(source, names)
        assert np.array_equal(callers, before) is not touched


@pytest.mark.parametrize("code", VERDICTS)
def test_verdicts(code, cases):
    spoil, right = VERDICTS[code]
    names = namespace(cases["primes"])
    mine = {n: names[f"d{n}"] for n in names["grads"]}
    theirs = {n: g.copy() for n, g in mine.items()}
    spoil(theirs)
    names |= {"mine": mine, "theirs": theirs}
    assert bool(run(TABLE[code].right, names)["agree"]) is right
    assert bool(run(TABLE[code].wrong, names)["agree"]) is not right


@pytest.mark.parametrize("code", ["fd-one-sided", "fd-step-too-large", "fd-step-too-small"])
def test_finite_differences(code):
    error = {}
    for side in ("wrong", "right"):
        names = run(getattr(TABLE[code], side), {"f": np.exp, "x": 0.7, "h": 6e-6})
        error[side] = abs(names["slope"] - np.exp(0.7))
    assert error["right"] <= 1e-9
    assert error["wrong"] >= 100 * error["right"]


@pytest.mark.parametrize("gradient", [0.0, float("nan"), 3.0])
def test_a_finite_difference_check_can_fail(gradient):
    names = {"slope": 2.0, "gradient": gradient}
    assert run(TABLE["fd-always-passes"].wrong, dict(names))["passed"]
    assert not run(TABLE["fd-always-passes"].right, dict(names))["passed"]


# ── the PyTorch examples, run on tensors ─────────────────────────────────────


def tensors(case):
    names = {
        "torch": torch,
        "F": torch.nn.functional,
        **case.sizes,
        "y": torch.tensor(case.y, dtype=torch.int64),
    }
    for name in ("X", "W1", "b1", "W2", "b2"):
        names[name] = torch.tensor(getattr(case, name), requires_grad=True)
    names["Z1"] = names["X"] @ names["W1"] + names["b1"]
    names["H1"] = torch.relu(names["Z1"])
    names["Z2"] = names["H1"] @ names["W2"] + names["b2"]
    names["onehot"] = torch.nn.functional.one_hot(names["y"], case.sizes["C"])
    return names


@pytest.mark.parametrize("code", ["torch-double-softmax", "torch-reduction-sum"])
def test_torch_loss(code, cases):
    answer = expected(**cases["primes"].inputs)["loss"]
    right = run(TABLE[code].right, tensors(cases["primes"]))["loss"].item()
    wrong = run(TABLE[code].wrong, tensors(cases["primes"]))["loss"].item()
    assert abs(right - answer) <= 1e-12
    assert abs(wrong - answer) >= 1e-3


def test_torch_accumulation():
    for source, ratio in (
        (TABLE["torch-grad-accumulates"].wrong, 2),
        (TABLE["torch-grad-accumulates"].right, 1),
    ):
        step = run(source, {})["step"]
        leaf = torch.tensor([1.0, -3.0], requires_grad=True)
        first, second = step(leaf), step(leaf)
        assert torch.equal(second, ratio * first)


def test_torch_leaf(cases):
    X = cases["primes"].X
    for source, followed in (
        (TABLE["torch-leaf-without-grad"].wrong, False),
        (TABLE["torch-leaf-without-grad"].right, True),
    ):
        leaf = run(source, {"torch": torch, "X": np.array(X)})["leaf"]
        assert leaf.is_leaf
        assert leaf.requires_grad is followed


def test_torch_cut(cases):
    assert run(TABLE["torch-graph-detached"].wrong, tensors(cases["primes"]))["H1"].grad_fn is None
    assert run(TABLE["torch-graph-detached"].right, tensors(cases["primes"]))["H1"].grad_fn


def test_torch_inplace(cases):
    with pytest.raises(RuntimeError, match="inplace operation"):
        run(TABLE["torch-inplace"].wrong, tensors(cases["primes"]))
    assert run(TABLE["torch-inplace"].right, tensors(cases["primes"]))["dW2"].shape


def test_torch_by_hand_gives_the_numbers_of_autograd(cases):
    answer = expected(**cases["primes"].inputs)["dW2"]
    for source in (TABLE["torch-manual-gradient"].wrong, TABLE["torch-manual-gradient"].right):
        dW2 = run(source, tensors(cases["primes"]))["dW2"]
        assert close(dW2.detach().numpy(), answer)
