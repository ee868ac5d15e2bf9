"""Shapes stated in a source: read in every written form, held against the true ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.shapes import (
    Assessment,
    Correctness,
    backward_shapes,
    forward_shapes,
    judge_statements,
)
from grader.checks.view import View
from grader.cohort import Engine
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.observe.observe import Allowance
from grader.observe.trace import Trace, TracedValue, take_trace
from grader.observe.zygotes import Zygotes
from grader.records import CheckStatus, Ended, Observation, Observations, ProcessReport, SourceFile
from grader.source.parsing import source_lines
from grader.source.shapes.statements import read_source
from tests.checks.simulation import SOURCE, ends, exam, fails, left_open
from tests.source.shapes.test_statements import JUNK

ROOT = Path(__file__).parents[2]
FINE = Observation(Ended.OK)
RUNS = {"forward/primes": FINE, "backward/primes": FINE}
NOTHING = Observations(ProcessReport(FINE), ProcessReport(FINE), RUNS)

PLAIN = """\
import numpy as np


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    e = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
    total = e.sum(axis=1, keepdims=True)
    P = e / total
    loss = -np.log(P[np.arange(len(y)), y]).mean()
    return loss, (X, y, W1, W2, Z1, H1, P)


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    dZ2 = P.copy()
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 /= len(y)
    dW2 = H1.T @ dZ2
    db2 = dZ2.sum(axis=0)
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    dX = dZ1 @ W1.T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}
"""


def traced(before: str, after: str) -> Trace:
    """Return the trace of `SOURCE` with a comment changed, which saw what Z1 and dZ2 are."""
    assert before in SOURCE
    lines, values = tuple(SOURCE.replace(before, after).split("\n")), []
    for name, function in (("Z1", "forward"), ("dZ2", "backward")):
        line = next(n for n, text in enumerate(lines, 1) if text.startswith(f"    {name} ="))
        place = (line, 4, line, 4 + len(name))
        value = exam().expected["primes"][name]
        values.append(
            TracedValue("solution.py", *place, "name", function, function, line, 1, value)
        )
    return Trace(tuple(values), {"solution.py": lines})


def test_forward_shapes() -> None:
    wrong = traced("b1  # [B, H]", "b1  # [H, B]")
    fails(forward_shapes, trace=wrong, says="line 2: Z1: stated [H, B]; it is [B, H]")
    left_open(forward_shapes, trace=Trace(sources={"solution.py": ("Z1 = X @ W1  # [B, H]",)}))


def test_backward_shapes() -> None:
    wrong = traced("/ B  # [B, C]", "/ B  # [C, B]")
    fails(backward_shapes, trace=wrong, says="line 9: dZ2: stated [C, B]; it is [B, C]")
    left_open(backward_shapes, ends("backward/", Ended.RAISED))


Look = Callable[[str], View]


@pytest.fixture(scope="module")
def look(engine: Engine, zygotes: Zygotes) -> Look:
    """A source, run and traced; nothing else of it is observed."""
    exam = engine.exam()

    def seen(source: str) -> View:
        submission = assemble("a", "a", Read((SourceFile("solution.py", source.encode()),), ()))
        trace = take_trace(submission, exam.paper, "numpy", zygotes.numpy, Allowance())
        assert trace.values, trace.reason
        return View(exam, NOTHING, trace)

    return seen


def edited(*edits: tuple[str, str], source: str = PLAIN) -> str:
    for before, after in edits:
        assert source.count(before) == 1, before
        source = source.replace(before, after)
    return source


def after(line: str, comment: str) -> str:
    """The plain source with a comment behind one of its lines."""
    return edited((f"    {line}\n", f"    {line}  # {comment}\n"))


def above(line: str, comment: str) -> str:
    return edited((f"    {line}\n", f"    # {comment}\n    {line}\n"))


def told(text: str, function: str = "forward(X, y, W1, b1, W2, b2):") -> str:
    """The plain source with a docstring in one of its functions."""
    return edited((f"def {function}\n", f'def {function}\n    """{text}"""\n'))


def verdicts(view: View) -> list[str]:
    return [judged.verdict.value for judged in judge_statements(view)]


Z1 = "Z1 = X @ W1 + b1"
H1 = "H1 = np.maximum(Z1, 0)"
DW1 = "dW1 = X.T @ dZ1"
LOSS = "loss = -np.log(P[np.arange(len(y)), y]).mean()"

RIGHT = [
    after(Z1, "[B, H]"),
    after(Z1, "(B,H)"),
    after(Z1, "Z1: (B, H)"),
    after(Z1, "Z1 [B, H]"),
    after(Z1, "(batch, hidden)"),
    after(Z1, "shape (B, H)"),
    after(Z1, "shape: (N, H)"),
    after(Z1, "shape = (B, H)"),
    after(Z1, "-> (B, H)"),
    after(Z1, "B x H"),
    after(Z1, "B×H"),
    after(Z1, "BxH"),
    after(Z1, "B, H"),
    after(Z1, "(batch_size, hidden_dim), before the ReLU"),
    after(Z1, "(64, 256)"),
    after(Z1, "[B, D] @ [D, H] + [H] -> [B, H]"),
    after(Z1, "(B,D)x(D,H) = (B,H)"),
    after(Z1, "(B, D)(D, H) = (B, H)"),
    after(Z1, "(B, H) - the pre-activation"),
    after(Z1, "X: (B, D), W1: (D, H)"),
    after(Z1, "(B, D) @ (D, H) + (H,) → (B, H); b1 is broadcast over the rows"),
    after(Z1, "Z1 ∈ R^{B×H}"),
    after(Z1, r"\in \mathbb{R}^{B \times H}"),
    after(Z1, "pre-activation, [B, H]"),
    after(Z1, "hidden pre-activations (B, H)"),
    after(Z1, "torch.Size([B, H])"),
    above(Z1, "Z1: (B, H)"),
    above(Z1, "(B, H)"),
    above(Z1, "First layer: (B, D) @ (D, H) -> (B, H)"),
    above(H1, "Z1 has shape [B, H]."),
    after(LOSS, "scalar"),
    after(LOSS, "()"),
    after(LOSS, "a scalar, the mean over the batch"),
    after(LOSS, "float"),
    after(DW1, "[D, B] @ [B, H] -> [D, H], the shape of W1"),
    after(DW1, "dW1 is (features, hidden)"),
    after("db1 = dZ1.sum(axis=0)", "(H,)"),
    after("db1 = dZ1.sum(axis=0)", "[H], summed over the batch"),
    after("total = e.sum(axis=1, keepdims=True)", "(B, 1)"),
    after("dZ2 /= len(y)", "(B, C)"),
    after("dZ2[np.arange(len(y)), y] -= 1", "(B, C)"),
    told("Z1 : array [B, H]"),
    told("Z1 : np.ndarray, shape (B, H)\n        The pre-activation."),
    told("X: np.ndarray of shape (N, D)"),
    told("The logits Z2 are (B, C)."),
    told("- X: input data (N, D)"),
    told("Returns dW1 (D, H)", "backward(cache):"),
    told("X.T is [D, B].", "backward(cache):"),
    edited((f"    {Z1}\n", f"    {Z1}\n    B, H = len(X), 11\n    assert Z1.shape == (B, W1.shape[1])\n")),
    edited((f"    {DW1}\n", f"    {DW1}\n    assert dW1.shape == W1.shape\n")),
    edited((f"    {Z1}\n", f"    {Z1}\n    assert np.shape(Z1) == (X.shape[0], len(b1))\n")),
    edited((Z1, 'Z1: "[B, H]" = X @ W1 + b1')),
    edited((Z1, 'Z1: np.ndarray["B H"] = X @ W1 + b1')),
    edited(('{"W1": dW1,', '{\n        "W1": dW1,  # [D, H]\n        '),),
    edited(("return loss, (X,", "return loss, (\n        X,  # [B, D]\n       ")),
]  # fmt: skip


@pytest.mark.parametrize("source", RIGHT, ids=range(len(RIGHT)))
def test_a_right_shape_is_right_in_every_written_form(source: str, look: Look) -> None:
    found = verdicts(look(source))
    assert found, "nothing was read"
    assert set(found) == {"right"}


WRONG = [
    (after(Z1, "[H, B]"), "line 5: Z1: stated [H, B]; it is [B, H]."),
    (after(Z1, "(D, H)"), "line 5: Z1: stated [D, H]; it is [B, H]."),
    (after(Z1, "Z1: (B, D)"), "line 5: Z1: stated [B, D]; it is [B, H]."),
    (after(Z1, "(batch, classes)"), "line 5: Z1: stated [batch, classes]; it is [B, H]."),
    (after(Z1, "B×C"), "line 5: Z1: stated [B, C]; it is [B, H]."),
    (after(Z1, "[B, D] @ [D, H] -> [D, H]"), "line 5: Z1: stated [D, H]; it is [B, H]."),
    (after(Z1, "[B, H, 1]"), "line 5: Z1: stated [B, H, 1]; it is [B, H]."),
    (after(Z1, "scalar"), "line 5: Z1: stated a scalar; it is [B, H]."),
    (after(Z1, "[H]"), "line 5: Z1: stated [H]; it is [B, H]."),
    (after(LOSS, "[B]"), "line 11: loss: stated [B]; it is a scalar."),
    (after(LOSS, "(1,)"), "line 11: loss: stated [1]; it is a scalar."),
    (after("total = e.sum(axis=1, keepdims=True)", "[B]"), "line 9: total: stated [B]; it is [B, 1]."),
    (above(Z1, "(H, B)"), "line 5: Z1: stated [H, B]; it is [B, H]."),
    (above(H1, "Z1 is [H, B]"), "line 6: Z1: stated [H, B]; it is [B, H]."),
    (told("W1 : array (H, D)"), "line 5: W1: stated [H, D]; it is [D, H]."),
    (told("X (B, D), W1 (H, D), b1 (H,)"), "line 5: W1: stated [H, D]; it is [D, H]."),
    (edited((Z1, 'Z1: np.ndarray["H B"] = X @ W1 + b1')), "line 5: Z1: stated [H, B]; it is [B, H]."),
]  # fmt: skip


@pytest.mark.parametrize(("source", "words"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_shape_is_wrong_and_shown_with_its_line(
    source: str, words: str, look: Look
) -> None:
    outcome = forward_shapes.run(look(source))
    assert (outcome.status, outcome.message) == (CheckStatus.FAIL, words)


def test_a_wrong_shape_fails_its_own_part_alone(look: Look) -> None:
    seen = look(after(DW1, "[H, D]"))
    assert backward_shapes.run(seen).message.startswith("line 23: dW1: stated [H, D]")
    assert forward_shapes.run(seen).status is CheckStatus.MANUAL


UNCLEAR = [
    after(Z1, "(lot, cachée)"),
    after(Z1, "forme (nombre d'exemples, unités)"),
    after(Z1, "Matrix der Größe (Beispiele, Einheiten)"),
    after(Z1, "(linear, affine)"),
    after(Z1, "(1) the first layer"),
    after(Z1, "see [2]"),
    after(Z1, "[B, D] @ [D, H]"),
    after(Z1, "the sum over D of (B, D) entries"),
    after(Z1, "not (H, B)"),
    after(Z1, "(H)"),
    after(Z1, "X[B, D] times W1"),
    after(Z1, "np.zeros((D, H)) would do for W1"),
    after(Z1, "(None, D)"),
    after(Z1, "(D, H)(B, D)"),
    after(Z1, "(B, D) . (D, H)"),
    after(Z1, "(B, D), (D, H)"),
    after(Z1, "W1: (D, H) -> (D, H)"),
    after(Z1, "a bias for each unit -> (H,)"),
    after(Z1, "keepdims -> (B, 1)"),
    after(Z1, "(H,) bias"),
    after("dZ2[np.arange(len(y)), y] -= 1", "(B,)"),
    after(Z1, "(p, q)"),
    after("e = np.exp(Z2 - Z2.max(axis=1, keepdims=True))", "(N, D)"),  # a local letter
    after("dZ2 = P.copy()", "P is divided by B (batch)"),
    above(H1, "(B, D) @ (D, H)"),
    above("P = e / total", "Softmax of each row: (B, C) / (B, 1)"),
    told("Maps X (B, D) -> the loss; hidden (D, H)."),
    edited((Z1, f'{Z1}; note = "# [H, B]"')),
    edited((Z1, f'"""\n    # [H, B]\n    """\n    {Z1}')),
]


@pytest.mark.parametrize("source", UNCLEAR, ids=range(len(UNCLEAR)))
def test_what_could_be_meant_otherwise_is_not_wrong(source: str, look: Look) -> None:
    assert "wrong" not in verdicts(look(source))


# ── letters ──────────────────────────────────────────────────────────────────


def test_letters_that_the_code_defines_stand_for_what_it_says(look: Look) -> None:
    own = edited(
        (f"    {Z1}\n", f"    n, f = X.shape\n    K = W1.shape[1]\n    {Z1}  # (n, K)\n"),
        (f"    {H1}\n", f"    {H1}  # (n, f)\n"),
    )
    first, second = judge_statements(look(own))
    assert (first.verdict, second.verdict) == (Correctness.RIGHT, Correctness.WRONG)


def test_letters_used_consistently_stand_for_one_size(look: Look) -> None:
    own = edited(
        (f"    {Z1}\n", f"    {Z1}  # (S, T)\n"),
        (f"    {H1}\n", f"    {H1}  # (S, T)\n"),
        ("    Z2 = H1 @ W2 + b2\n", "    Z2 = H1 @ W2 + b2  # (S, Q)\n"),
        ("    P = e / total\n", "    P = e / total  # (S, Q)\n"),
    )
    assert verdicts(look(own)) == ["right"] * 4
    muddled = own.replace("# (S, Q)", "# (S, T)")
    assert verdicts(look(muddled)) == []


def test_a_letter_may_be_local_to_a_helper(look: Look) -> None:
    helper = '''\
def softmax(x):
    """x: (N, D) -> (N, D)"""
    e = np.exp(x - x.max(axis=1, keepdims=True))  # (N, D)
    return e / e.sum(axis=1, keepdims=True)  # (N, D)


def forward('''
    own = edited(
        ("def forward(", helper),
        ("    e = np.exp(Z2 - Z2.max(axis=1, keepdims=True))\n", ""),
        ("    total = e.sum(axis=1, keepdims=True)\n", ""),
        ("P = e / total", "P = softmax(Z2)"),
    )
    assert "wrong" not in verdicts(look(own))


def test_columns_are_right_where_the_code_has_columns(look: Look) -> None:
    columns = edited(
        (f"    {Z1}\n", f"    Zt = W1.T @ X.T + b1[:, None]  # [H, B]\n    {Z1}\n"),
    )
    (judged,) = judge_statements(look(columns))
    assert judged.verdict is Correctness.RIGHT
    assert judged.tensors == {"Z1"}


# ── what counts ──────────────────────────────────────────────────────────────


def test_words_that_are_right_of_a_wrong_value_cost_nothing(look: Look) -> None:
    transposed = edited((f"    {DW1}\n", "    dW1 = dZ1.T @ X  # [D, H]\n"))
    assert verdicts(look(transposed)) == []


def test_the_trace_binds_names_and_the_problem_awards(look: Look) -> None:
    """A shape that is right of some array earns nothing: only the tensors of the problem do."""
    junk = edited((f"    {Z1}\n", f"    Q = np.ones((len(X), W1.shape[1]))  # [B, H]\n    {Z1}\n"))
    (judged,) = judge_statements(look(junk))
    assert (judged.verdict, judged.tensors) == (Correctness.RIGHT, frozenset())


def test_other_names_are_known_by_their_values(look: Look) -> None:
    renamed = PLAIN.replace("Z1", "u").replace("H1", "v").replace("Z2", "w")
    stated = renamed.replace("u = X @ W1 + b1", "u = X @ W1 + b1  # (B, H)")
    (judged,) = judge_statements(look(stated))
    assert judged.tensors == {"Z1"}


def test_names_speak_where_the_trace_is_silent(engine: Engine) -> None:
    lines = source_lines(after(Z1, "[B, H]").encode())
    (judged,) = judge_statements(View(engine.exam(), NOTHING, Trace((), {"solution.py": lines})))
    assert (judged.verdict, judged.tensors) == (Correctness.RIGHT, {"Z1"})
    lines = source_lines(after(Z1, "[H, B]").encode())
    assert judge_statements(View(engine.exam(), NOTHING, Trace((), {"a.py": lines}))) == []


def test_other_files_than_python_state_nothing(engine: Engine) -> None:
    trace = Trace((), {"answers.md": ("Z1 = 1  # [B, H]",), "a.py": ("Z1 = 1  # [B, H]",)})
    (judged,) = judge_statements(View(engine.exam(), NOTHING, trace))
    assert judged.file == "a.py"


@pytest.mark.parametrize(
    ("stated", "status"),
    [(0, CheckStatus.MANUAL), (2, CheckStatus.MANUAL), (3, CheckStatus.PASS)],
)
def test_too_few_are_left_to_a_human(stated: int, status: CheckStatus, look: Look) -> None:
    comments = ((Z1, "[B, H]"), (H1, "[B, H]"), ("Z2 = H1 @ W2 + b2", "[B, C]"))[:stated]
    source = edited(*((f"    {line}\n", f"    {line}  # {said}\n") for line, said in comments))
    seen = look(source)
    outcome = forward_shapes.run(seen)
    assert outcome.status is status
    assert len(outcome.evidence) == stated
    assert backward_shapes.run(seen).status is CheckStatus.MANUAL


def test_the_starter_states_its_shapes_for_nobody(engine: Engine) -> None:
    text = (ROOT / "grader" / "starter" / "solution.py").read_text()
    lines = source_lines(text.encode())
    assert read_source(lines).statements
    assert judge_statements(View(engine.exam(), NOTHING, Trace((), {"a.py": lines}))) == []
    own = source_lines(text.replace("W1: Array,  #", "W1: Array,  # the weights,").encode())
    assert len(judge_statements(View(engine.exam(), NOTHING, Trace((), {"a.py": own})))) == 1


def test_a_pass_that_does_not_run_is_left_to_a_human(engine: Engine) -> None:
    lines = (ROOT / "reference" / "solution.py").read_text().split("\n")
    broken = Observation(Ended.RAISED, error="ValueError: no")
    for part, check in (("forward", forward_shapes), ("backward", backward_shapes)):
        runs = {**RUNS, f"{part}/primes": broken}
        seen = Observations(NOTHING.numpy, NOTHING.torch, runs)
        trace = Trace((), {"a.py": tuple(lines)})
        assert check.run(View(engine.exam(), NOTHING, trace)).status is CheckStatus.PASS
        outcome = check.run(View(engine.exam(), seen, trace))
        assert outcome.status is CheckStatus.MANUAL
        assert "does not run" in outcome.message


def test_the_evidence_shows_line_stated_and_true(look: Look) -> None:
    wrong, right = forward_shapes.run(
        look(
            edited((f"    {Z1}\n", f"    {Z1}  # [B, H]\n"), (f"    {H1}\n", f"    {H1}  # [H]\n"))
        )
    ).evidence
    assert (wrong.what, wrong.expected, wrong.observed) == ("line 6: H1", "[B, H]", "stated [H]")
    assert (right.what, right.expected, right.observed) == ("line 5: Z1", "[B, H]", "stated [B, H]")
    assert (wrong.verdict, right.verdict) == (CheckStatus.FAIL, CheckStatus.PASS)


# ── hostile sources ──────────────────────────────────────────────────────────


def test_junk_in_comments_is_judged_without_an_error(look: Look) -> None:
    seen = look(PLAIN)
    lines = seen.trace.sources["solution.py"]

    @given(st.lists(JUNK.map(lambda t: t.replace("\n", " ")), min_size=26, max_size=26))
    def judged(comments: list[str]) -> None:
        pairs = zip(lines, comments, strict=False)
        junk = tuple(f"{line}  # {said}" if line else "" for line, said in pairs)
        found = judge_statements(
            View(seen.exam, NOTHING, Trace(seen.trace.values, {"solution.py": junk}))
        )
        assert all(isinstance(j, Assessment) for j in found)

    judged()
