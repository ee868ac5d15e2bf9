"""What is bound, what is left as it is, and what is said where nothing or too much fits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grader.bundled import bundled
from grader.child.binding import trial
from grader.cohort import Engine
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.records import GradeStatus, SourceFile
from tests.child.binding.loaded import answers, binding_of, inputs

STYLES = Path(__file__).parent / "styles"
GIVEN = (STYLES / "given_weights_class.py").read_text().partition("class AutogradNet")[0]
GIVEN = GIVEN.replace("import torch\n", "")

CANONICAL = """
def forward(X, y, W1, b1, W2, b2):
    calls.append(1)
    return 0.0, (X, W1)
def backward(cache):
    calls.append(1)
    return {"W1": cache[1]}
calls = []
"""


# ── what is the contract's own ───────────────────────────────────────────────


def test_the_contracts_own_functions_are_given_as_they_are_and_never_called() -> None:
    binding = binding_of(CANONICAL)
    assert binding.find("forward") is binding.module.forward
    assert binding.find("backward") is binding.module.backward
    assert binding.module.calls == []
    assert not binding.tried
    assert binding.part("numpy").sentence == ""


def test_the_reference_is_bound_without_a_trial() -> None:
    text = (bundled("reference") / "solution.py").read_text().partition("# ── part 3")[0]
    binding = binding_of(
        text.replace("import torch\n", "").replace("from torch.nn", "# from torch.nn")
    )
    assert binding.find("forward") is binding.module.forward
    assert not binding.tried


@pytest.mark.parametrize(
    "body",
    ["raise ValueError(X.shape)", "pass", "return None", "return [1, 2][5], 0", "return 1 / 0, X"],
)
def test_a_canonical_forward_that_fails_is_not_replaced(body: str) -> None:
    text = (
        f"def forward(X, y, W1, b1, W2, b2):\n    {body}\ndef backward(cache):\n    return {{}}\n"
    )
    binding = binding_of(f"{GIVEN}\n{text}")
    assert binding.find("forward") is binding.module.forward


def test_unusual_names_in_the_contracts_order_are_the_contracts() -> None:
    text = "def forward(a, t, p, q, r, s): return 0.0, a\ndef backward(memo): return {'W1': memo}\n"
    assert not (binding := binding_of(text)).tried
    assert binding.find("forward") is binding.module.forward
    assert not binding.tried


# ── what is not there ────────────────────────────────────────────────────────


def test_what_was_found_instead_is_said_with_its_line_and_what_it_lacks() -> None:
    text = "def forward(X, W1, b1, W2, b2, strange):\n    return X\ndef backprop(quux):\n    return 1\n"
    binding = binding_of(text)
    said = binding.absence("forward")
    assert said.startswith(
        "found `forward(X, W1, b1, W2, b2, strange)` (answer_of_somebody.py, line 1)"
    )
    assert "needs `strange`" in said


def test_a_module_without_a_network_has_none() -> None:
    binding = binding_of("x = 1\ndef area(r): return 3 * r * r\n")
    assert binding.find("forward") is None
    assert binding.find("backward") is None
    assert binding.absence("forward") == ""


def test_a_forward_whose_backward_is_missing_is_still_called() -> None:
    text = "def forward(X, y, W1, b1, W2, b2): return float(X.sum()), X\n"
    binding = binding_of(text)
    assert binding.find("forward") is binding.module.forward
    assert binding.find("backward") is None


def test_without_any_loss_the_gradients_are_there_and_the_loss_is_nan() -> None:
    text = (STYLES / "tuple_everything.py").read_text().partition("class Net")[0]
    text = text.replace("import torch", "# import torch").partition("def cross_entropy_loss")
    text = text[0] + "def forward" + text[2].partition("def forward")[2]
    binding = binding_of(text)
    loss, gradients = answers(binding, inputs())
    assert np.isnan(loss)
    assert binding.lossless
    assert set(gradients) == {"W1", "b1", "W2", "b2", "X"}


# ── two answers ──────────────────────────────────────────────────────────────

OTHER = "class Unscaled(ManualNet):\n    def backward(self):\n"
OTHER += "        return {k: 2 * v for k, v in super().backward().items()}\n"
ALIKE = "class Again(ManualNet):\n    pass\n"


def test_two_that_give_different_numbers_are_ambiguous() -> None:
    binding = binding_of(GIVEN.partition("def verify")[0] + OTHER)
    assert binding.find("forward") is None
    said = binding.absence("backward")
    assert "class ManualNet" in said
    assert "class Unscaled" in said
    assert "submission.yaml" in said


def test_two_that_agree_are_not() -> None:
    binding = binding_of(GIVEN.partition("def verify")[0] + ALIKE)
    assert binding.find("forward") is not None
    assert "class Again" in "\n".join(binding.part("numpy").alternatives)


def test_a_name_in_submission_yaml_decides() -> None:
    text = GIVEN.partition("def verify")[0] + OTHER
    names = {"forward": "Unscaled.forward", "backward": "Unscaled.backward"}
    _, doubled = answers(binding_of(text, **names), inputs())
    names = {"forward": "ManualNet.forward", "backward": "ManualNet.backward"}
    _, plain = answers(binding_of(text, **names), inputs())
    np.testing.assert_allclose(doubled["W1"], 2 * plain["W1"])


def test_an_ambiguous_submission_is_told_so_and_gets_no_wrong_grade(engine: Engine) -> None:
    text = GIVEN.partition("def verify")[0] + OTHER
    result = engine.grade(assemble("two", "two", Read((SourceFile("a.py", text.encode()),), ())))
    assert result.grade.status is GradeStatus.UNJUDGED
    assert result.unjudged is not None
    assert any("different numbers" in attempt.error for attempt in result.unjudged.attempts)


# ── two PyTorch parts ────────────────────────────────────────────────────────

TORCH = """
import torch, torch.nn.functional as F
def autograd_version(X, y, W1, b1, W2, b2):
    t = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X)]
    loss = F.cross_entropy(torch.relu(t[4] @ t[0] + t[1]) @ t[2] + t[3], torch.tensor(y))
    loss.backward()
    return loss, {n: a.grad for n, a in zip(("W1", "b1", "W2", "b2", "X"), t)}
"""
SECOND = TORCH.replace("autograd_version", "torch_grads").partition("functional as F\n")[2]
MODULE = """
import torch.nn as nn
class Net(nn.Module):
    def __init__(self, d, h, c):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(d, h), nn.Linear(h, c)
    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))
"""


def test_two_pytorch_parts_that_give_different_numbers_are_ambiguous() -> None:
    binding = binding_of(TORCH + SECOND.replace("(torch.relu", "(torch.tanh"))
    assert binding.find("torch_forward_backward") is None
    said = binding.absence("torch_forward_backward")
    assert "autograd_version" in said
    assert "torch_grads" in said
    assert "submission.yaml" in said
    assert binding.part("torch").sentence.startswith("ambiguous: ")


def test_two_that_agree_are_named_as_such() -> None:
    binding = binding_of(TORCH + SECOND)
    assert binding.find("torch_forward_backward") is not None
    assert "torch_grads" in "\n".join(binding.part("torch").alternatives)


def test_a_module_without_its_loss_is_no_rival_of_a_whole_function() -> None:
    """The module computes something else: as a rival it would make the function ambiguous."""
    binding = binding_of(TORCH + MODULE)
    assert binding.part("torch").sentence.startswith("PyTorch, functions: autograd_version(")
    assert binding.part("torch").alternatives == ()
    given = inputs()
    loss, _ = binding.find("torch_forward_backward")(*given.values())
    own, _ = binding.module.autograd_version(*given.values())
    assert float(loss.detach()) == pytest.approx(float(own.detach()))


def test_a_name_decides_between_two_pytorch_parts() -> None:
    text = TORCH + SECOND.replace("(torch.relu", "(torch.tanh")
    binding = binding_of(text, torch_forward_backward="torch_grads")
    assert binding.find("torch_forward_backward") is binding.module.torch_grads


# ── conduct ──────────────────────────────────────────────────────────────────


def test_each_forward_is_a_cache_of_its_own() -> None:
    binding = binding_of(GIVEN.partition("def verify")[0])
    first, second = inputs(), inputs(6, 6, 6, 6)
    _, alone = answers(binding, first)
    _, kept = binding.find("forward")(*first.values())
    binding.find("forward")(*second.values())
    after = binding.find("backward")(kept)
    np.testing.assert_array_equal(after["W1"], alone["W1"])


def test_arguments_that_a_function_changes_are_seen_changed_through_every_layout() -> None:
    text = (STYLES / "coursera_columns.py").read_text().partition("class TorchNet")[0]
    text = text.replace("import torch\n", "").replace(
        "    Z1 = np.dot(W1, X) + b1", "    X *= 1.5\n    Z1 = np.dot(W1, X) + b1"
    )
    given = inputs()
    before = given["X"].copy()
    binding_of(text).find("forward")(*given.values())
    np.testing.assert_allclose(given["X"], 1.5 * before)


def test_the_sizes_of_the_trial_are_of_no_graded_case() -> None:
    from grader.problem.cases import make_cases

    graded = {n for s in range(5) for c in make_cases(s).values() for n in c.sizes.values()}
    assert not graded & set(trial.SIZES.values())
    assert len(set(trial.SIZES.values())) == 4


@pytest.mark.parametrize(
    "body",
    [
        "n = 0\n    while True:\n        n += 1",
        "raise SystemExit(1)",
        "raise KeyboardInterrupt",
        "[0] * 10**13",
    ],
)
def test_what_a_trial_does_ends_the_trial_and_nothing_else(body: str) -> None:
    text = (
        f"def forward_pass(X, W1, b1, W2, b2, y):\n    {body}\ndef backward_pass(cache): return 1\n"
    )
    binding = binding_of(text)
    assert binding.find("forward") is None
    assert "forward_pass" in binding.absence("forward")
