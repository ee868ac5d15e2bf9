"""Values get the names of the tensors they are, in every form, and none by accident."""

from __future__ import annotations

import time

import numpy as np
import pytest

from grader.observe.naming import Name, Namer, factors, known_tensors, tensors_of
from grader.problem import Expected, set_paper
from grader.records import Array
from tests.problem.network import answers

PAPERS = [set_paper(seed) for seed in range(5)]


def expected(seed: int, case: str = "primes") -> Expected:
    given = PAPERS[seed].cases[case]
    return Expected(given, {n: np.asarray(a) for n, a in answers(**given.inputs).items()})


EXPECTED = expected(0)
SIZES = EXPECTED.case.sizes
KNOWN = known_tensors(EXPECTED)
NAMER = Namer(KNOWN, SIZES)
B = float(SIZES["B"])
ARRAYS = [n for n, a in KNOWN.items() if a.size > 1]
TWINS = {"onehot * P": "P"}


def name(array: Array) -> Name:
    found = NAMER(np.asarray(array))
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(5))
def test_every_tensor_has_its_own_name(seed: int) -> None:
    one = expected(seed)
    known = known_tensors(one)
    namer = Namer(known, one.case.sizes)
    for tensor, array in known.items():
        found = namer(array)
        assert found is not None, tensor
        assert (found.base, found.exact, found.transposed) == (tensor, True, False)


def test_the_tensors_of_the_brief_are_there() -> None:
    wanted = "X y W1 b1 W2 b2 Z1 H1 Z2 P logP loss dZ2 dH1 dZ1 dW1 db1 dW2 db2 dX mask onehot p_true losses"
    assert set(wanted.split()) <= set(KNOWN)


@pytest.mark.parametrize("tensor", ARRAYS)
def test_transposed_copied_rounded(tensor: str) -> None:
    want = KNOWN[tensor]
    noise = 1 + 1e-13 * np.random.default_rng(0).normal(size=want.shape)
    assert name(want * noise).base == tensor
    assert name(np.asfortranarray(want)).base == tensor
    if want.ndim == 2:
        found = name(want.T)
        assert (found.base, found.transposed) == (tensor, True)
    else:
        assert name(want[:, None]).form == "column"
        assert name(want[None]).form == "row"


@pytest.mark.parametrize(("text", "amount"), factors(SIZES))
@pytest.mark.parametrize("tensor", ["dZ2", "dW1", "losses", "X"])
def test_multiples(tensor: str, text: str, amount: float) -> None:
    found = name(KNOWN[tensor] * amount)
    if found.base == tensor:
        assert found.amount == pytest.approx(amount)
        assert found.factor == text
    else:  # B·dZ2 is P - onehot
        np.testing.assert_allclose(found.amount * KNOWN[found.base], amount * KNOWN[tensor])


@pytest.mark.parametrize(
    ("found", "text"),
    [(Name("dZ2"), "dZ2"), (Name("dZ2", "B", B), "B·dZ2"), (Name("dW1", "1/B", 1 / B), "dW1/B"),
     (Name("X", transposed=True), "X.T"), (Name("loss", "-1", -1.0), "-loss"),
     (Name("dH1", "-B", -B, transposed=True), "-B·dH1.T"), (Name("P", "1/(B·C)"), "P/(B·C)")],
)  # fmt: skip
def test_how_a_name_reads(found: Name, text: str) -> None:
    assert str(found) == text


def test_exact_wins_over_a_multiple() -> None:
    assert str(name(KNOWN["P"] - KNOWN["onehot"])) == "P - onehot"
    assert str(name(KNOWN["dW2"] * B)) == "B·dW2"


def test_single_numbers() -> None:
    assert str(name(np.array(B))) == "B"
    assert str(name(np.array(int(B)))) == "B"
    assert str(name(np.array(1 / B))) == "1/B"
    assert str(name(np.array(KNOWN["loss"]))) == "loss"
    assert str(name(np.array([[-KNOWN["loss"] * B]]))) == "-B·loss"
    for other in (0.0, 1.0, -1.0, 0.5, np.nan, np.inf, 3.14159):
        assert NAMER(np.array(other)) is None


@pytest.mark.parametrize(
    "array",
    [np.zeros((5, 3)), np.ones(7), np.full((5, 11), 0.2), np.empty((0, 3)), np.array([np.nan, 1.0]),
     np.array([np.inf, 1.0]), np.zeros(SIZES["B"], bool), np.random.default_rng(1).normal(size=(5, 3))],
)  # fmt: skip
def test_nothing_is_named_by_accident(array: Array) -> None:
    assert NAMER(array) is None


@pytest.mark.parametrize("tensor", ARRAYS)
def test_a_value_that_is_nearly_one_is_none(tensor: str) -> None:
    wrong = KNOWN[tensor].astype(float)
    wrong.flat[0] += 1e-5 * np.abs(wrong).max()
    assert NAMER(wrong) is None
    reshaped = KNOWN[tensor].T.reshape(KNOWN[tensor].shape) if wrong.ndim == 2 else wrong[::-1]
    found = NAMER(reshaped)
    assert found is None or found.base != tensor


def test_masks_and_repeats() -> None:
    assert str(name(KNOWN["H1"] != 0)) == "mask"
    assert str(name((KNOWN["Z1"] <= 0).astype(float))) == "not mask"
    assert str(name(KNOWN["dH1"] > 0)) == "dH1 > 0"
    repeated = name(np.tile(KNOWN["b1"], (5, 1)))
    assert (repeated.base, repeated.form) == ("b1", "broadcast")


def test_single_precision_is_named_too() -> None:
    for tensor in ("Z1", "P", "dZ2", "dW1", "dX"):
        assert name(KNOWN[tensor].astype(np.float32)).base == tensor


def test_a_square_tensor_tells_its_transpose() -> None:
    one = expected(0, "square")
    known = known_tensors(one)
    namer = Namer(known, one.case.sizes)
    for tensor in ("W1", "Z1", "dW1", "dX"):
        found = namer(known[tensor].T)
        assert found is not None
        assert (found.base, found.transposed) == (tensor, True)


def test_a_flow_with_a_fault_has_tensors_too() -> None:
    case = EXPECTED.case
    Z1 = case.X @ case.W1
    H1 = np.maximum(Z1, 0)
    known = tensors_of(case, {"Z1": Z1, "H1": H1, "Z2": H1 @ case.W2 + case.b2})
    found = Namer(known, SIZES)(Z1 > 0)
    assert found is not None
    assert found.base == "mask"
    assert "dH1" not in known


def test_naming_is_fast() -> None:
    """150 values in a few milliseconds of processor time; ten times that on a slow machine."""
    values = [KNOWN[n].astype(float) for n in (*ARRAYS, "loss")] * 2
    values += [np.random.default_rng(i).normal(size=(5, 11)) for i in range(150 - len(values))]
    Namer(KNOWN, SIZES)(values[0])
    started = time.process_time()
    namer = Namer(KNOWN, SIZES)
    for value in values:
        namer(value)
    assert time.process_time() - started < 0.05


def test_a_loss_for_each_example_is_no_scalar() -> None:
    losses = np.array([0.5, 1.5, 2.5])
    namer = Namer({"loss": losses}, {"B": 3, "D": 5, "H": 7, "C": 11})
    assert namer(np.float64(0.25)) is None
    assert str(namer(losses)) == "loss"
