"""A course's own contract: read strictly, every mistake at once, and in the schema."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import RubricError
from grader.rubric import Contract, load_contract, parse_contract, rubric_schema
from tests.rubric.test_load import GOOD, parse

CS231N = """\
contract:
  title: CS231n, assignment 1
  names: {verify: check_agreement}
  numpy:
    make:
      - net = TwoLayerNet(D, H, C)
    weights:
      W1: net.params["W1"]
      b1: net.params["b1"]
      W2: net.params["W2"]
      b2: net.params["b2"]
    forward: ["loss, grads = net.loss(X, y, reg=0.0)"]
    loss: loss
    gradients:
      W1: grads["W1"]
      b1: grads["b1"]
      W2: grads["W2"]
      b2: grads["b2"]
  torch:
    tensors: true
    calls:
      - loss = torch_loss(X, y, W1, b1, W2, b2)
      - loss.backward()
    loss: loss
    gradients: {W1: W1.grad, b1: b1.grad, W2: W2.grad, b2: b2.grad}
"""


def read(text: str = CS231N) -> Contract:
    return parse_contract(text.encode(), "c.yaml")


def problems(old: str, new: str) -> tuple[str, ...]:
    """The problems of `CS231N` with one passage replaced."""
    assert CS231N.count(old) == 1, old
    with pytest.raises(RubricError) as caught:
        read(CS231N.replace(old, new))
    return caught.value.problems


def problems_of(text: str) -> tuple[str, ...]:
    """What is wrong with `text`; () for nothing. Nothing else may be raised."""
    try:
        read(text)
    except RubricError as error:
        return tuple(error.problems)
    return ()


def test_a_child_is_told_what_the_file_says() -> None:
    told = json.loads(read().told())
    assert told["numpy"]["make"] == ["net = TwoLayerNet(D, H, C)"]
    assert told["numpy"]["gradients"]["W1"] == 'grads["W1"]'
    assert told["numpy"]["layout"] == {
        "columns": False, "transposed": False, "bias": "flat", "labels": "index",
    }  # fmt: skip
    assert told["torch"]["tensors"] is True
    assert read().called == {"verify": "check_agreement"}
    assert set(json.loads(read().told(numpy=False))) == {"torch"}
    assert read().told(numpy=False, torch=False) == ""


@pytest.mark.parametrize(
    ("written", "layout"),
    [
        ("{X: [D, B], W1: [H, D], b1: [H, 1], y: [C, B]}", (True, True, "column", "onehot")),
        ("{X: [D, B], y: [1, B]}", (True, False, "flat", "row")),
        ("{b1: [1, H], b2: [1, C], y: [B, 1]}", (False, False, "row", "column")),
        ("{W1: [H, D], W2: [C, H], y: [B, C]}", (False, True, "flat", "onehot")),
    ],
)
def test_shapes_say_how_the_arrays_lie(written: str, layout: tuple[object, ...]) -> None:
    text = CS231N.replace("    make:", f"    arrays: {written}\n    make:")
    found = json.loads(read(text).told())["numpy"]["layout"]
    assert tuple(found[k] for k in ("columns", "transposed", "bias", "labels")) == layout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  title:", "  titel:", "c.yaml:2: unknown key 'titel'; write `title`"),
        ("  names: {verify", "  names: {verfy", "c.yaml:3: unknown key 'verfy'; write `verify`"),
        ("check_agreement", "a b", "c.yaml:3: `verify` is 'a b', but must be a name in Python"),
        ("net.loss(X", "net.loss(x", "c.yaml:12: unknown name 'x'; write `X`"),
        ("net.loss(X", "net.loss(data", "c.yaml:12: unknown name 'data'; use one of X, y, W1"),
        ("    loss: loss\n    gradients:\n", "    loss: los\n    gradients:\n",
         "c.yaml:13: unknown name 'los'; write `loss`"),
        ("W1: grads[", "W1: grad[", "c.yaml:15: unknown name 'grad'; write `grads`"),
        ("net = TwoLayerNet(D, H, C)", "net = TwoLayerNet(D, H, C", "is no line of Python"),
        ("net = TwoLayerNet(D, H, C)", "net = N(D", "inside [..] YAML splits at commas"),
        ("net = TwoLayerNet(D, H, C)", "import os", "is neither an assignment nor a call"),
        ("net = TwoLayerNet(D, H, C)", "net = 3 + 4", "computes (BinOp)"),
        ("net = TwoLayerNet(D, H, C)", "net = [n for n in X]", "computes (ListComp)"),
        ("net = TwoLayerNet(D, H, C)", "a = b = N()", "is neither an assignment nor a call"),
        ("net = TwoLayerNet(D, H, C)", "net = N.__subclasses__()", "begins with an underscore"),
        ("net = TwoLayerNet(D, H, C)", "net = __import__('os')", "begins with an underscore"),
        ('W1: net.params["W1"]', "W1: net.get(1)", "nothing can be put into 'net.get(1)'"),
        ('W1: net.params["W1"]', "W1: nets.W1", "c.yaml:8: unknown name 'nets'; write `net`"),
        ('      b2: grads["b2"]\n', "", "c.yaml:14: `b2` is missing; write for example `b2: "),
        ("    calls:\n      - loss = torch_loss(X, y, W1, b1, W2, b2)\n      - loss.backward()\n",
         "    calls: loss.backward()\n", "c.yaml:21: `calls` is 'loss.backward()', but must be a list"),
        ("    make:", "    arrays: {X: [B, H]}\n    make:",
         "c.yaml:5: `X` is '[B, H]', but must be '[B, D]' or '[D, B]'"),
        ("    make:", "    arrays: {X: [D, B], y: [B, C]}\n    make:",
         "c.yaml:5: a one-hot y lies as X does, which is [D, B]; write `y: [C, B]`"),
        ("    make:", "    arrays: {W1: [H, D], W2: [H, C]}\n    make:",
         "c.yaml:5: W2 lies otherwise than W1; write `W2: [C, H]`"),
        ("    make:", "    arrays: {b1: [1, H], b2: [C]}\n    make:",
         "c.yaml:5: b2 lies otherwise than b1; write `b2: [1, C]`"),
        ("{verify:", "{backward: back, verify:",
         "c.yaml:3: `backward` is named here, and `numpy` says how it is called; delete one"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_line_and_what_to_write(old: str, new: str, said: str) -> None:
    found = problems(old, new)
    assert any(said in row for row in found), found


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(RubricError) as caught:
        read(CS231N.replace("title:", "titel:").replace("(X, y, reg", "(x, Y, reg"))
    assert len(caught.value.problems) == 4


def test_it_stands_in_a_rubric_as_well_and_is_examined_there() -> None:
    assert parse(GOOD + CS231N).contract == read()
    assert parse(GOOD).contract is None
    with pytest.raises(RubricError) as caught:
        parse(GOOD + CS231N.replace("net.loss(X", "net.loss(x"))
    line = GOOD.count("\n") + 12
    assert caught.value.problems == (f"r.yaml:{line}: unknown name 'x'; write `X`",)


def test_a_contract_that_says_nothing_is_refused() -> None:
    with pytest.raises(RubricError) as caught:
        read("contract: {title: Nothing}\n")
    assert "the contract says nothing; write `numpy:`" in caught.value.problems[0]


def test_the_digest_is_of_what_is_said_not_of_how_it_is_written() -> None:
    assert (
        read(CS231N.replace("{verify: check_agreement}", "\n    verify: check_agreement")).digest
        == read().digest
    )
    assert read(CS231N.replace("reg=0.0", "reg=0")).digest != read().digest


def test_the_schema_covers_it() -> None:
    schema = rubric_schema()
    assert "contract" in schema["properties"]
    assert schema["$defs"]["Arrays"]["properties"]["X"]["enum"] == [["B", "D"], ["D", "B"]]
    keys = {"make", "weights", "forward", "backward", "loss", "gradients", "arrays"}
    assert keys | {"stepped", "fresh"} == set(schema["$defs"]["NumpyPart"]["properties"])


@given(st.text("contract: []{}\n-numpyforwardWXy=()\"'.", max_size=200))
def test_any_text_is_a_contract_or_a_list_of_problems(text: str) -> None:
    found = problems_of(text)
    assert all(row.startswith("c.yaml:") for row in found)


@given(st.text("netWXyHD.=()[]{}'\"_*+,: 0\n@", max_size=60))
def test_any_line_is_let_through_or_refused(line: str) -> None:
    text = CS231N.replace("net = TwoLayerNet(D, H, C)", json.dumps(line))
    assert isinstance(problems_of(text), tuple)


@pytest.mark.slow
def test_a_file_is_read_from_disk_and_rubric_check_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "course.yaml"
    path.write_text(CS231N)
    assert load_contract(path) == read()
    done = subprocess.run(
        [sys.executable, "-m", "grader", "rubric", "check", str(path)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{path}: a valid contract, “CS231n, assignment 1”\n"
    with pytest.raises(RubricError, match="no such file"):
        load_contract(tmp_path / "nothing.yaml")
