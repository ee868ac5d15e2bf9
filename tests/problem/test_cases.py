"""Each case keeps what it promises, whatever the seed: else a mistake could hide by chance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from grader.problem import cases as rooms
from grader.problem.cases import (
    EDGE,
    EVEN,
    HUGE,
    HUGE_LOGIT,
    KINK_MARGIN,
    LABEL_TYPES,
    ORDINARY,
    make_cases,
    perturbed,
)
from grader.problem.compare import STEP
from grader.problem.exam import set_paper
from grader.problem.oracle import expected
from grader.records import TENSORS, Array, Case
from tests.problem import network

SEEDS = (*range(48), 2**31 - 1, 2**63)
DIFFERENCED = ("small", "middle")
ALL = (
    *(*ORDINARY, "duplicated", *EDGE, *HUGE, *LABEL_TYPES),
    *("zeros", "float32", "realistic", *DIFFERENCED),
)
DISTINCT = ("primes", "more_rows", "absent", "two_classes", *HUGE, *LABEL_TYPES, "zeros", "float32")
AWAY_FROM_ZERO = (*ORDINARY, "duplicated", *EDGE, *LABEL_TYPES, *DIFFERENCED)
PRIME = frozenset({2, 3, 5, 7, 11, 13, 17, 19, 23})

Drawn = dict[int, dict[str, Case]]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return {seed: make_cases(seed) for seed in SEEDS}


def each(drawn: Drawn, *names: str) -> Iterator[Case]:
    for cases in drawn.values():
        for name in names:
            yield cases[name]


def values(case: Case) -> tuple[Array, Array]:
    return network.logits(**case.inputs)


def own_loss(case: Case) -> float:
    return float(network.loss(**case.inputs))


def same(a: Case, b: Case) -> bool:
    return all(np.array_equal(a.inputs[n], b.inputs[n]) for n in a.inputs)


# ── all cases ────────────────────────────────────────────────────────────────


def test_every_seed_gives_the_same_named_cases(drawn: Drawn) -> None:
    assert all(set(cases) == set(ALL) for cases in drawn.values())
    assert all(
        name == case.name and case.purpose for c in drawn.values() for name, case in c.items()
    )


def test_shapes_fit_together_and_labels_are_classes(drawn: Drawn) -> None:
    for case in each(drawn, *ALL):
        B, D, H, C = (case.sizes[s] for s in "BDHC")
        shapes = {"X": (B, D), "y": (B,), "W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}
        assert {n: a.shape for n, a in case.inputs.items()} == shapes
        assert case.y.min() >= 0
        assert case.y.max() < C


def test_same_seed_same_bits(drawn: Drawn) -> None:
    for seed in (0, 7, 2**63):
        again = make_cases(seed)
        assert all(same(again[name], case) for name, case in drawn[seed].items())


@pytest.mark.parametrize("name", ALL)
def test_different_seeds_differ(drawn: Drawn, name: str) -> None:
    for tensor in ("X", "W1", "b1", "W2", "b2"):
        seen = {case.inputs[tensor].tobytes() for case in each(drawn, name)}
        assert len(seen) == len(SEEDS), tensor


def test_arrays_are_read_only_and_contiguous(drawn: Drawn) -> None:
    for case in each(drawn, *ALL):
        for array in case.inputs.values():
            assert not array.flags.writeable
            assert array.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        drawn[0]["primes"].X[0, 0] = 1.0


def test_dtypes_are_float64_and_int64_unless_the_case_is_about_them(drawn: Drawn) -> None:
    labels = {"labels_int32": np.int32, "labels_uint8": np.uint8}
    for case in each(drawn, *ALL):
        assert case.y.dtype == labels.get(case.name, np.int64)
        wanted = np.float32 if case.name == "float32" else np.float64
        assert {a.dtype for n, a in case.inputs.items() if n != "y"} == {np.dtype(wanted)}


# ── sizes ────────────────────────────────────────────────────────────────────


def test_sizes_are_distinct_primes_so_that_a_shape_reads_as_symbols(drawn: Drawn) -> None:
    for case in each(drawn, *DISTINCT):
        sizes = list(case.sizes.values())
        assert set(sizes) <= PRIME
        assert len(set(sizes)) == 4, case.name


def test_primes_come_in_several_sizes(drawn: Drawn) -> None:
    sizes = {tuple(case.sizes.values()) for case in each(drawn, "primes")}
    assert len(sizes) > 1
    assert sizes <= set(rooms.PRIMES)


@pytest.mark.parametrize(
    ("name", "equal"),
    [
        ("square", "BDHC"),
        ("small", "BDHC"),
        ("middle", "BDHC"),
        ("batch_is_hidden", "BH"),
        ("batch_is_classes", "BC"),
    ],
)
def test_sizes_that_a_case_makes_equal_and_no_others(drawn: Drawn, name: str, equal: str) -> None:
    for case in each(drawn, name):
        assert len({case.sizes[s] for s in equal}) == 1
        assert len(set(case.sizes.values())) == 5 - len(equal)


@pytest.mark.parametrize(
    ("name", "size", "value"),
    [("one_row", "B", 1), ("one_hidden", "H", 1), ("two_classes", "C", 2)],
)
def test_edge_sizes(drawn: Drawn, name: str, size: str, value: int) -> None:
    assert {case.sizes[size] for case in each(drawn, name)} == {value}


def test_realistic_is_the_size_of_the_assignment(drawn: Drawn) -> None:
    sizes = {"B": 64, "D": 128, "H": 256, "C": 10}
    assert all(case.sizes == sizes for case in each(drawn, "realistic"))


# ── the ReLU ─────────────────────────────────────────────────────────────────


def test_ordinary_cases_keep_away_from_the_kink(drawn: Drawn) -> None:
    for case in each(drawn, *AWAY_FROM_ZERO):
        assert np.abs(values(case)[0]).min() > KINK_MARGIN, case.name


def test_float32_stays_on_the_same_side_of_the_kink(drawn: Drawn) -> None:
    for cases in drawn.values():
        exact, rounded = values(cases["primes"])[0], values(cases["float32"])[0]
        assert np.array_equal(exact > 0, rounded > 0)


def test_a_case_has_active_and_inactive_units_so_that_a_missing_mask_shows(drawn: Drawn) -> None:
    for case in each(drawn, *AWAY_FROM_ZERO, "zeros", "realistic"):
        active = values(case)[0] > 0
        assert active.any()
        assert not active.all()
        assert active.any(axis=1).mean() > 0.5


def test_no_gradient_of_the_small_case_is_nearly_zero(drawn: Drawn) -> None:
    """An honest relative error, entry by entry, is then small."""
    for seed in SEEDS[:8]:
        case = drawn[seed]["small"]
        active = values(case)[0] > 0
        assert active.any(axis=0).all()
        assert active.any(axis=1).all()
        gradients = expected(**case.inputs)
        for tensor in TENSORS:
            sizes = np.abs(gradients[f"d{tensor}"])
            assert sizes.min() > EVEN * sizes.max(), tensor


def test_central_differences_stay_on_one_side_of_the_kink() -> None:
    for seed in SEEDS:
        paper = set_paper(seed)
        primes = paper.cases["primes"]
        mask = values(primes)[0] > 0
        for tensor in TENSORS:
            for step in (STEP, -STEP):
                moved = perturbed(primes, tensor, paper.directions[tensor], step)
                assert np.array_equal(values(moved)[0] > 0, mask)


def test_zeros_are_exact_whatever_the_order_of_summation(drawn: Drawn) -> None:
    rng = np.random.default_rng(0)
    for case in each(drawn, "zeros"):
        Z1 = values(case)[0]
        assert (Z1 == 0).any(axis=0).all()
        for dtype in (np.float64, np.float32):
            X, W1, b1 = (a.astype(dtype) for a in (case.X, case.W1, case.b1))
            order = rng.permutation(case.sizes["D"])
            total = np.tile(b1, (case.sizes["B"], 1))
            for d in order:
                total = total + X[:, d, None] * W1[d]
            assert np.array_equal(total, Z1)


def test_zeros_lets_the_mask_be_recovered_from_dW1(drawn: Drawn) -> None:
    for case in each(drawn, "zeros"):
        assert case.sizes["D"] > case.sizes["B"]
        assert np.linalg.matrix_rank(case.X) == case.sizes["B"]
        assert np.linalg.cond(case.X) < 10


# ── labels ───────────────────────────────────────────────────────────────────


def test_every_class_occurs_where_the_batch_has_room_for_it(drawn: Drawn) -> None:
    for case in each(drawn, "primes", "more_rows", "square", "batch_is_classes", "two_classes"):
        assert set(case.y.tolist()) == set(range(case.sizes["C"])), case.name


def test_absent_lacks_two_classes_the_last_one_too(drawn: Drawn) -> None:
    for case in each(drawn, "absent"):
        assert not {1, case.sizes["C"] - 1} & set(case.y.tolist())
    occurring = {int(c) for case in each(drawn, "absent") for c in case.y}
    assert occurring == set(range(13)) - {1, 12}


@pytest.mark.parametrize("name", LABEL_TYPES)
def test_label_types_are_the_labels_of_primes(drawn: Drawn, name: str) -> None:
    assert all(same(cases[name], cases["primes"]) for cases in drawn.values())


def test_more_rows_has_the_weights_of_primes_and_another_batch(drawn: Drawn) -> None:
    for cases in drawn.values():
        more, primes = cases["more_rows"], cases["primes"]
        assert all(np.array_equal(more.inputs[n], primes.inputs[n]) for n in TENSORS if n != "X")
        assert more.sizes["B"] > primes.sizes["B"]


def test_duplicated_is_primes_twice(drawn: Drawn) -> None:
    for cases in drawn.values():
        twice, primes = cases["duplicated"], cases["primes"]
        assert np.array_equal(twice.X, np.vstack([primes.X, primes.X]))
        assert np.array_equal(twice.y, np.hstack([primes.y, primes.y]))
        assert np.array_equal(twice.W1, primes.W1)


# ── huge logits ──────────────────────────────────────────────────────────────


@pytest.mark.filterwarnings("ignore:overflow")
def test_overflow_has_the_true_class_among_the_large_logits(drawn: Drawn) -> None:
    for case in each(drawn, "overflow"):
        Z2 = values(case)[1]
        true = Z2[np.arange(len(case.y)), case.y]
        assert (true > 0.99 * HUGE_LOGIT).all()
        assert (Z2 < -0.99 * HUGE_LOGIT).any()
        assert np.isinf(np.exp(Z2)).any()
        assert own_loss(case) < 20  # p is no small number


def test_underflow_costs_about_the_distance_of_the_true_class(drawn: Drawn) -> None:
    for case in each(drawn, "underflow"):
        answers = network.answers(**case.inputs)
        assert (answers["P"][np.arange(len(case.y)), case.y] == 0).all()
        assert own_loss(case) == pytest.approx(HUGE_LOGIT, rel=5e-3)


def test_offsets_empty_a_row_under_one_global_maximum(drawn: Drawn) -> None:
    for case in each(drawn, "offsets"):
        Z2 = values(case)[1]
        assert (np.exp(Z2 - Z2.max()).sum(axis=1) == 0).sum() >= 3
        assert own_loss(case) < 20


# ── central differences ──────────────────────────────────────────────────────


@pytest.mark.parametrize("tensor", TENSORS)
def test_perturbed_moves_one_tensor_and_leaves_the_original(tensor: str) -> None:
    case = make_cases(3)["primes"]
    before = {n: a.copy() for n, a in case.inputs.items()}
    direction = np.ones_like(case.inputs[tensor])
    moved = perturbed(case, tensor, direction, 0.25)
    for name, array in case.inputs.items():
        assert np.array_equal(array, before[name])
        wanted = array + 0.25 if name == tensor else array
        assert np.array_equal(moved.inputs[name], wanted)
    assert not moved.inputs[tensor].flags.writeable
