"""The reusable layers, however they are written; and what each check says of wrong ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from grader.checks.layers import DEPTHS, OPTIONAL, composed, linear, loss, relu, state
from grader.observe.zygotes import Zygotes
from grader.problem import Exam
from grader.records import CheckStatus, Ended
from tests.checks import layered
from tests.checks.layered import RIGHT, Tried, edited
from tests.checks.simulation import ends, fails, left_open, put, waits
from tests.sandbox.confined import linux_only

pytestmark = linux_only

ALL = {"linear", "relu", "loss", "composed", "state"}
Try = Callable[[str], Tried]


WRONG = put("layers/linear", "dW0", lambda dW: dW.T if dW.shape[0] == dW.shape[1] else 2 * dW)


def test_linear() -> None:
    fails(linear, put("layers/linear", "dW0", lambda dW: 2 * dW), says="dW: got off by 1")
    fails(linear, put("layers/linear_square", "dx0", lambda dx: dx.T), says="dx: got off")
    left_open(linear, ends("layers/", Ended.MISSING))


def test_relu() -> None:
    fails(relu, put("layers/relu", "dx0", lambda dx: np.abs(dx)), says="dx: got off by")
    fails(relu, put("layers/relu", "out", lambda out: out[0]), says="the output: got shape")


def test_loss() -> None:
    fails(loss, put("layers/loss_huge", "loss", lambda loss: loss * np.nan), says="not finite")
    fails(loss, ends("layers/loss_huge", Ended.RAISED), says="the loss: raised")


def test_composed() -> None:
    fails(composed, put("layers/depth3", "dW2", lambda dW: dW + 1), says="wrong: dW2")
    waits(composed, WRONG)


def test_state() -> None:
    fails(state, put("layers/linear", "again.dW0", lambda dW: 2 * dW), says="a second backward")
    fails(state, put("layers/open", "second.out", lambda out: out + 1), says="a second batch")
    fails(state, put("layers/relu", "x_after", lambda x: x + 1), says="changed: x")


@pytest.fixture(scope="module")
def given(zygotes: Zygotes) -> Exam:
    return layered.exam(zygotes.torch)


@pytest.fixture(scope="module")
def attempt(given: Exam, zygotes: Zygotes) -> Try:
    return lambda text: layered.tried(given, zygotes.numpy, text)


# ── however they are written ─────────────────────────────────────────────────

SIZED = edited(
    ("class Linear:", "class Dense:"),
    ("def __init__(self, W, b):", "def __init__(self, n_in, n_out):"),
    (
        "self.W, self.b = W, b",
        "self.weight, self.bias = np.ones((n_in, n_out)), np.zeros((1, n_out))",
    ),
    ("return x @ self.W + self.b", "return x @ self.weight + self.bias"),
    ("self.dW =", "self.grad_weight ="),
    ("self.db = upstream.sum(axis=0)", "self.grad_bias = upstream.sum(axis=0, keepdims=True)"),
    ("return upstream @ self.W.T", "return upstream @ self.weight.T"),
)

TURNED = SIZED.replace("np.ones((n_in, n_out))", "np.ones((n_out, n_in))").replace(
    "x @ self.weight +", "x @ self.weight.T +").replace(
    "self.x.T @ upstream", "upstream.T @ self.x").replace(
    "upstream @ self.weight.T", "upstream @ self.weight")  # fmt: skip

CALLED = RIGHT.replace("def forward", "def __call__").replace("class Linear", "class Affine")

DICTIONARY = edited(
    ("self.W, self.b = W, b", "self.params, self.grads = {'W': W, 'b': b}, {}"),
    ("return x @ self.W + self.b", "return x @ self.params['W'] + self.params['b']"),
    ("self.dW =", "self.grads['W'] ="),
    ("self.db =", "self.grads['b'] ="),
    ("return upstream @ self.W.T", "return upstream @ self.params['W'].T"),
)

RETURNED = edited(
    ("self.dW =", "dW ="),
    ("self.db =", "db ="),
    ("return upstream @ self.W.T", "return upstream @ self.W.T, dW, db"),
)

INHERITED = RIGHT.replace("class Linear:", "class Layer:\n    def backward(self, g):\n        "
    "raise NotImplementedError\n\n\nclass Linear(Layer):").replace("class ReLU:", "class ReLU(Layer):")  # fmt: skip

FUNCTION_LOSS = (
    RIGHT[: RIGHT.index("class SoftmaxCrossEntropy")]
    + """
def softmax_loss(logits, y):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    shifted = logits - logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(shifted).sum(axis=1))
    loss = (total - shifted[np.arange(len(y)), y]).mean()
    dlogits = p.copy()
    dlogits[np.arange(len(y)), y] -= 1
    return loss, dlogits / len(y)
"""
)

CLEARED = edited(
    ("self.W, self.b = W, b", "self.W, self.b = W, b\n        self.zero_grad()"),
    ("self.dW =", "self.dW +="),
    ("self.db =", "self.db +="),
    (
        "class ReLU",
        "    def zero_grad(self):\n        self.dW, self.db = np.zeros_like(self.W), "
        "np.zeros_like(self.b)\n\n\nclass ReLU",
    ),
).replace("        return upstream @ self.W.T\n\n\n    def zero", "        return upstream @ self.W.T\n\n    def zero")  # fmt: skip

SHORT = RIGHT.replace("def forward", "def fprop").replace("def backward", "def back_prop")

LISTS = edited(
    (
        "self.W, self.b = W, b",
        "self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]",
    ),
    ("return x @ self.W + self.b", "return x @ self.params[0] + self.params[1]"),
    ("self.dW =", "self.grads[0][...] ="),
    ("self.db =", "self.grads[1][...] ="),
    ("return upstream @ self.W.T", "return upstream @ self.params[0].T"),
)

PARAMETERS = edited(
    ("class Linear:", "class Parameter:\n    def __init__(self, data):\n        "
     "self.data, self.grad = data, None\n\n\nclass Linear:"),
    ("def __init__(self, W, b):", "def __init__(self, n_in, n_out):"),
    ("self.W, self.b = W, b", "self.W, self.b = Parameter(np.ones((n_in, n_out))), Parameter(np.ones(n_out))"),
    ("return x @ self.W + self.b", "return x @ self.W.data + self.b.data"),
    ("self.dW =", "self.W.grad ="),
    ("self.db =", "self.b.grad ="),
    ("return upstream @ self.W.T", "return upstream @ self.W.data.T"),
)  # fmt: skip

SIZED_LISTS = PARAMETERS.replace("self.W, self.b = Parameter", "self.params = Parameter").replace(
    "self.W.", "self.params[0].").replace("self.b.", "self.params[1].")  # fmt: skip

ONE_HOT = edited(
    ("-logP[np.arange(len(y)), y]", "-(y * logP).sum(axis=1)"),
    ("d[np.arange(len(self.y)), self.y] -= 1", "d -= self.y"),
)

DEFAULTED = RIGHT.replace("def backward(self, upstream):", "def backward(self, upstream=None):")

IN_PLACE = edited(
    ("return upstream * self.mask", "upstream[~self.mask] = 0\n        return upstream"),
)

STYLES = {
    "the upstream gradient gated in place": IN_PLACE,
    "the contract's": RIGHT,
    "sizes in the constructor": SIZED,
    "weights as [out, in]": TURNED,
    "called": CALLED,
    "other names for both ways": SHORT,
    "lists of parameters and gradients": LISTS,
    "parameters that are objects": PARAMETERS,
    "a list of such": SIZED_LISTS,
    "one-hot labels": ONE_HOT,
    "an upstream gradient with a default": DEFAULTED,
    "dictionaries": DICTIONARY,
    "gradients returned": RETURNED,
    "a base class": INHERITED,
    "a function for the loss": FUNCTION_LOSS,
    "gradients that add up and can be cleared": CLEARED,
}


@pytest.mark.parametrize("style", STYLES)
def test_right_layers_pass_in_every_style(style: str, attempt: Try) -> None:
    one = attempt(STYLES[style])
    assert set(one.statuses.values()) == {CheckStatus.PASS}, [
        f.message for f in one.findings.values()
    ]
    assert one.defects == ()


def test_a_mistake_in_a_list_is_found_all_the_same(attempt: Try) -> None:
    one = attempt(LISTS.replace("upstream.sum(axis=0)", "upstream.mean(axis=0)"))
    assert one.failed == {"linear"}
    assert [d.code for d in one.defects] == ["bias-grad-mean"]


# ── a container ──────────────────────────────────────────────────────────────

CONTAINER = """

class Sequential:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, upstream):
        for layer in reversed(self.layers):
            upstream = layer.backward(upstream)
        return upstream
"""


def container_lines(one: Tried) -> list[CheckStatus]:
    evidence = one.findings["layers.composed"].evidence
    return [line.verdict for line in evidence if "container" in line.case]


def test_a_container_is_tried_as_well(attempt: Try) -> None:
    assert container_lines(attempt(RIGHT)) == []
    one = attempt(RIGHT + CONTAINER)
    assert container_lines(one) == [CheckStatus.PASS] * (len(DEPTHS) - 1)


def test_a_container_that_goes_forwards_twice_is_found_out(attempt: Try) -> None:
    wrong = CONTAINER.replace("reversed(self.layers)", "self.layers[:0:-1]")
    one = attempt(RIGHT + wrong)
    assert one.failed == {"composed"}
    assert set(container_lines(one)) == {CheckStatus.FAIL}


def test_a_container_of_another_kind_is_left_alone(attempt: Try) -> None:
    """It turns the logits into probabilities: something else, and no mistake."""
    other = CONTAINER.replace("        return x\n", "        return np.exp(x)\n")
    one = attempt(RIGHT + other)
    assert container_lines(one) == [] and one.failed == set()


# ── float32 ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (RIGHT, "float32 throughout"),
        (edited(("return d / len(self.y)", "return d / np.float64(len(self.y))")), "another dtype"),
        (edited(("upstream * self.mask", "upstream * np.where(self.mask, 1, 0)")), "in dW, db, dx"),
        (edited(("self.x = x", "self.x = x; assert x.dtype == np.float64")), "AssertionError"),
    ],
    ids=["kept", "wider", "integers", "refused"],
)
def test_float32_is_shown_and_costs_nothing(text: str, words: str, attempt: Try) -> None:
    one = attempt(text)
    assert one.statuses["composed"] is CheckStatus.PASS
    (line,) = (e for e in one.findings["layers.composed"].evidence if e.case == "float32")
    assert words in line.observed


# ── nothing, or not all of it ────────────────────────────────────────────────


def test_no_layers_cost_one_question_and_leave_all_open(attempt: Try) -> None:
    one = attempt("import numpy as np\n\ndef forward(X):\n    return X\n")
    assert set(one.statuses.values()) == {CheckStatus.MANUAL}
    assert {f.message for f in one.findings.values()} == {OPTIONAL}
    asked = [run for run in one.seen.observations.runs.values() if run.ended is not Ended.NOT_RUN]
    assert len(asked) == 1 and asked[0].cpu_seconds < 0.02


def test_a_network_is_not_taken_for_a_layer(attempt: Try) -> None:
    text = RIGHT.replace("class Linear:", "class LinearClassifier:")
    one = attempt(text)
    assert set(one.statuses.values()) == {CheckStatus.MANUAL}


def test_a_leaky_relu_is_another_layer(attempt: Try) -> None:
    one = attempt(RIGHT.replace("class ReLU", "class LeakyReLU"))
    assert one.statuses["relu"] is CheckStatus.MANUAL
    assert one.statuses["linear"] is CheckStatus.PASS and one.failed == set()


def test_without_a_loss_the_others_are_put_together_all_the_same(attempt: Try) -> None:
    one = attempt(RIGHT[: RIGHT.index("class SoftmaxCrossEntropy")])
    assert one.statuses["loss"] is CheckStatus.MANUAL
    assert {one.statuses[n] for n in ALL - {"loss"}} == {CheckStatus.PASS}


def test_a_layer_that_cannot_be_made_is_left_to_a_person(attempt: Try) -> None:
    one = attempt(RIGHT.replace("def __init__(self, W, b):", "def __init__(self, W, b, device):"))
    assert one.statuses["linear"] is CheckStatus.MANUAL
    assert "could not be made" in one.findings["layers.linear"].message


def test_a_layer_that_steps_its_own_weights_is_left_to_a_person(attempt: Try) -> None:
    text = edited(
        ("def backward(self, upstream):\n        self.dW = ", "def backward(self, upstream, lr):\n        dW = "),
        ("        self.db = upstream.sum(axis=0)\n        return upstream @ self.W.T",
         "        back = upstream @ self.W.T\n        self.W = self.W - lr * dW\n        return back"),
    )  # fmt: skip
    one = attempt(text)
    assert one.statuses["linear"] is CheckStatus.MANUAL
    assert "asks for lr" in one.findings["layers.linear"].message
    assert one.failed == set() and one.defects == ()


def test_layers_that_end_the_process_lose_it_and_nothing_else(attempt: Try) -> None:
    text = edited(("self.db = upstream.sum(axis=0)", "import os; os._exit(0)"))
    text += "\n\ndef forward(X, y, W1, b1, W2, b2):\n    return 0.0, {}\n"
    one = attempt(text + "\n\ndef backward(cache):\n    return {}\n")
    assert one.statuses["linear"] is CheckStatus.FAIL
    assert one.statuses["composed"] is CheckStatus.SKIPPED


# ── what each check says ─────────────────────────────────────────────────────


def test_composed_and_state_wait_for_what_is_wrong_alone(attempt: Try) -> None:
    one = attempt(edited(("self.db = upstream.sum(axis=0)", "self.db = upstream.mean(axis=0)")))
    assert one.failed == {"linear"}
    assert one.findings["layers.composed"].waited_for == ("layers.linear",)
    assert one.statuses["state"] is CheckStatus.PASS, "the other layers keep nothing"


def test_one_layer_that_shares_with_its_like_shows_only_together(attempt: Try) -> None:
    text = RIGHT.replace("self.x", "Linear.x")
    one = attempt(text)
    assert one.failed == {"composed", "state"}
    ones = [e for e in one.findings["layers.composed"].evidence if "1 linear layer" in e.case]
    assert [e.verdict for e in ones] == [CheckStatus.PASS]


def test_a_message_says_where_the_factor_is(attempt: Try) -> None:
    one = attempt(edited(("return d / len(self.y)", "return d")))
    first = one.findings["layers.loss"].evidence[0]
    assert (first.what, first.ratio) == ("dx", "6")


def test_a_layer_with_a_second_batch_of_the_first_size_only(attempt: Try) -> None:
    one = attempt(
        edited(
            ("self.mask = x > 0", "self.mask = getattr(self, 'mask', x > 0)"),
        )
    )
    assert one.failed == {"state"}
    assert "second batch through the relu layer" in one.findings["layers.state"].message
