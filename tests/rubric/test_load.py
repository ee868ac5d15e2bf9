import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import RubricError
from grader.rubric import load_rubric, parse_rubric, rubric_schema

KNOWN = ("forward.loss", "forward.mean", "forward.scalar", "backward.dW1", "backward.db1")

GOOD = """\
rubric: 1
id: small
title: A small rubric
parts:
  - id: forward
    title: Forward
    items:
      - {id: loss, title: Loss, points: 4, checks: [forward.loss, forward.scalar]}
      - id: said
        title: Said
        points: 2.5
        manual: true
        guidance: [says it, says why]
  - id: backward
    title: Backward
    items:
      - id: grads
        title: Gradients
        points: 6
        checks: [backward.dW1, backward.db1]
        credit: tiers
        tiers: [{passed: 1, points: 5}, {passed: 2, points: 6}]
      - {id: extra, title: Extra, points: 1, checks: [forward.mean], bonus: true, credit: all}
gates:
  - {unless: [backward.dW1], cap: 0.5, because: dW1 is wrong.}
dimensions:
  - {id: shapes, title: Shapes, checks: [forward.scalar]}
bands:
  - {at_least: 50, name: pass}
  - {at_least: 0, name: fail}
"""


def parse(text: str):
    return parse_rubric(text.encode(), "r.yaml", KNOWN)


def problems(old: str, new: str) -> tuple[str, ...]:
    """The problems of GOOD with one passage replaced."""
    assert GOOD.count(old) == 1, old
    with pytest.raises(RubricError) as caught:
        parse(GOOD.replace(old, new))
    return caught.value.problems


def test_a_good_rubric():
    rubric = parse(GOOD)
    assert (rubric.id, rubric.title) == ("small", "A small rubric")
    assert rubric.digest == "sha256:" + hashlib.sha256(GOOD.encode()).hexdigest()
    (loss, said), (grads, extra) = (part.items for part in rubric.parts)
    assert loss.checks == ("forward.loss", "forward.scalar")
    assert (loss.credit, loss.bonus, loss.manual) == ("share", False, False)
    assert (said.manual, said.guidance) == (True, ("says it", "says why"))
    assert [(t.passed, t.points) for t in grads.tiers] == [(1, 5), (2, 6)]
    assert (extra.bonus, extra.credit) == (True, "all")
    assert rubric.gates[0].unless == ("backward.dW1",)
    assert rubric.dimensions[0].checks == ("forward.scalar",)
    assert [band.name for band in rubric.bands] == ["pass", "fail"]


def test_only_the_head_and_one_part_are_required():
    head = GOOD[: GOOD.index("  - id: backward")]
    rubric = parse(head)
    assert (rubric.gates, rubric.dimensions, rubric.bands) == ((), (), ())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "rubric: 1",
            "rubric: 2",
            "1: `rubric` is 2, but must be 1; write for example `rubric: 1`",
        ),
        ("title: A small rubric", "titel: A", "3: unknown key 'titel'; write `title`"),
        (
            "title: A small rubric",
            "title: A\nqqq: 1",
            "4: unknown key 'qqq'; use one of rubric, id",
        ),
        ("id: small", "id: no", "2: `id` is False, but must be text (put it in quotes"),
        ("id: small", "id: ../up", "2: `id` is '../up', but must be an id of a-z"),
        ("title: Forward", "title: '  '", "6: `title` is '  ', but must not be blank"),
        ("points: 4", "points: four", "8: `points` is 'four', but must be a number; write for ex"),
        ("points: 4", "points: true", "8: `points` is True, but must be a number"),
        ("points: 4", "points: -1", "8: `points` is -1, but must be at least 0"),
        ("points: 4", "points: .nan", "8: `points` is nan, but must be a finite number"),
        ("points: 4", "points: .inf", "8: `points` is inf, but must be a finite number"),
        ("points: 4", "points: 99999999", "8: `points` is 99999999, but must be at most 10000"),
        ("points: 4, ", "", "8: `points` is missing; write for example `points: 4`"),
        (
            "checks: [forward.loss, forward.scalar]",
            "checks: forward.loss",
            "8: `checks` is 'forward.loss', but must be a list; write for example `checks: [",
        ),
        (
            "[forward.loss, forward.scalar]",
            "[forward.loss, forward.scalr]",
            "8: unknown check 'forward.scalr'; write `forward.scalar`",
        ),
        (
            "[forward.loss, forward.scalar]",
            "[forward.loss, zzz]",
            "8: unknown check 'zzz'; delete it, or name a check that exists",
        ),
        (
            "[forward.loss, forward.scalar]",
            "[forward.loss, 3]",
            "8: entry 2 of `checks` is 3, but must be text",
        ),
        (
            "[forward.loss, forward.scalar]",
            "[forward.loss, forward.loss]",
            "8: check 'forward.loss' earns points twice, on line 8; keep it in one item",
        ),
        (
            "checks: [forward.mean]",
            "checks: [forward.loss]",
            "23: check 'forward.loss' earns points twice, on lines 8 and 23; keep it in one item",
        ),
        ("[forward.loss, forward.scalar]", "[]", "8: item `loss` rests on nothing; write `checks:"),
        (
            "        manual: true\n",
            "        manual: true\n        checks: [forward.mean]\n",
            "13: a manual item has no checks",
        ),
        (
            "        manual: true\n",
            "        manual: true\n        bonus: true\n",
            "13: a manual item cannot be a bonus",
        ),
        ("points: 4,", "points: 4, guidance: [x],", "8: `guidance` is for a human's marks; delete"),
        ("manual: true", "manual: maybe", "12: `manual` is 'maybe', but must be true or false"),
        (
            "credit: all",
            "credit: al",
            "23: `credit` is 'al', but must be 'share', 'all' or 'tiers'; wr",
        ),
        ("credit: tiers", "credit: all", "22: `tiers` counts only with `credit: tiers`"),
        (
            "        tiers: [{passed: 1, points: 5}, {passed: 2, points: 6}]\n",
            "",
            "21: `credit: tiers` without tiers; write for example `tiers: [{passed: 2,",
        ),
        (
            "{passed: 2, points: 6}",
            "{passed: 3, points: 6}",
            "22: 3 checks cannot pass, the item has 2",
        ),
        ("{passed: 2, points: 6}", "{passed: 1, points: 6}", "22: `passed` does not rise after 1"),
        (
            "{passed: 2, points: 6}",
            "{passed: 2, points: 5.5}",
            "22: the last tier earns 5.5, the item is worth 6; write `points: 6`",
        ),
        (
            "{passed: 1, points: 5}",
            "{passed: 1, points: 7}",
            "22: more passes would earn less than 7",
        ),
        (
            "{passed: 1, points: 5}",
            "{passed: 0, points: 5}",
            "22: `passed` is 0, but must be at least 1",
        ),
        (
            "{passed: 1, points: 5}",
            "{pased: 1, points: 5}",
            "22: unknown key 'pased'; write `passed`",
        ),
        ("id: said", "id: loss", "9: item id 'loss' is taken on line 8; write another id"),
        ("id: said", "id: forward.mean", "9: item id 'forward.mean' is the id of a check"),
        ("- id: backward", "- id: forward", "14: part id 'forward' is taken on line 5"),
        (
            "cap: 0.5",
            "cap: 50",
            "25: `cap` is 50, but must be at most 1; write for example `cap: 0.",
        ),
        ("because: dW1 is wrong.", "because:", "25: `because` is empty, but must be text"),
        (
            "unless: [backward.dW1]",
            "unless: [backward.dW9]",
            "25: unknown check 'backward.dW9'; write",
        ),
        (
            "unless: [backward.dW1]",
            "unless: []",
            "25: `unless` is a list, but must have at least one",
        ),
        (
            "unless: [backward.dW1]",
            "unless: [backward.dW1, backward.dW1]",
            "25: check 'backward.dW1' is listed twice, first on line 25",
        ),
        (
            "title: Shapes, checks: [forward.scalar]",
            "title: Shapes, checks: [forward.scalars]",
            "27: unknown check 'forward.scalars'; write `forward.scalar`",
        ),
        ("at_least: 50", "at_least: 0", "30: `at_least` is 0 after 0, but the bands descend"),
        ("at_least: 0,", "at_least: 10,", "30: the last band starts at 10, so lower scores"),
        ("at_least: 0,", "at_least: 60,", "30: `at_least` is 60 after 50, but the bands descend"),
        (
            "  - {at_least: 50, name: pass}",
            "  - pass",
            "29: entry 1 of `bands` is 'pass', but must be a map",
        ),
    ],
)
def test_refused_with_line_and_next_step(old, new, expected):
    said = problems(old, new)
    assert any(problem.startswith(f"r.yaml:{expected}") for problem in said), said
    assert all(";" in problem for problem in said), "what to write instead is missing"


DEDUCTIONS = """\
deductions:
  major: 8
  minor: 0.5
  info: 0
  codes:
    grad-sign: 6
    loss-sign: 5
"""
CODES = ("grad-sign", "loss-sign", "grad-transposed")


def with_deductions(text: str, codes=CODES):
    return parse_rubric((GOOD + text).encode(), "r.yaml", KNOWN, codes)


def test_deductions_by_severity_and_by_code():
    said = with_deductions(DEDUCTIONS).deductions
    assert (said.major, said.minor, said.info) == (8, 0.5, 0)
    assert said.codes == {"grad-sign": 6, "loss-sign": 5}


def test_deductions_are_optional_and_so_is_each_line():
    said = parse(GOOD).deductions
    assert (said.major, said.minor, said.info, said.codes) == (None, None, 0, {})
    said = with_deductions("deductions: {codes: {grad-sign: 1}}\n").deductions
    assert (said.major, said.codes) == (None, {"grad-sign": 1})


def test_codes_are_examined_only_where_they_are_known():
    text = DEDUCTIONS.replace("loss-sign", "loss-sing")
    assert with_deductions(text, None).deductions.codes["loss-sing"] == 5
    with pytest.raises(RubricError):
        with_deductions(text, ())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("loss-sign", "loss-sing", "37: unknown defect code 'loss-sing'; write `loss-sign`"),
        ("loss-sign", "zzz", "37: unknown defect code 'zzz'; delete it, or name a code that"),
        ("loss-sign", "grad-sign", "37: `grad-sign` is given twice, first on line 36; delete one"),
        ("loss-sign: 5", "loss-sign:", "37: `loss-sign` is empty, but must be a number; write for"),
        ("loss-sign: 5", "loss-sign: -5", "37: `loss-sign` is -5, but must be at least 0; write"),
        ("loss-sign: 5", "loss-sign: all", "37: `loss-sign` is 'all', but must be a number; writ"),
        ("major: 8", "major:", "32: `major` is empty, but must be a number; write one, or delete"),
        ("major: 8", "major: .inf", "32: `major` is inf, but must be a finite number; write for"),
        ("major: 8", "major: 8 %", "32: `major` is '8 %', but must be a number; write for example"),
        ("minor: 0.5", "minr: 0.5", "33: unknown key 'minr'; write `minor`"),
        ("info: 0", "info: -1", "34: `info` is -1, but must be at least 0; write for example `in"),
        ("info: 0", "severe: 1", "34: unknown key 'severe'; use one of major, minor, info, codes"),
    ],
)
def test_deductions_are_refused_with_line_and_next_step(old, new, expected):
    assert DEDUCTIONS.count(old) == 1
    with pytest.raises(RubricError) as caught:
        with_deductions(DEDUCTIONS.replace(old, new))
    (problem,) = caught.value.problems
    assert problem.startswith(f"r.yaml:{expected}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deductions: 8", "31: `deductions` is 8, but must be a mapping of keys to values; write"),
        ("deductions:\n  codes: [a]", "32: `codes` is a list, but must be a mapping of keys to"),
        ("deductions:\n  codes:\n    grad-sign: [6]", "33: `grad-sign` is a list, but must be a n"),
    ],
)
def test_deductions_of_another_form_are_refused(text, expected):
    with pytest.raises(RubricError) as caught:
        with_deductions(text)
    (problem,) = caught.value.problems
    assert problem.startswith(f"r.yaml:{expected}")


def test_one_mistake_is_one_problem():
    assert len(problems("points: 4, ", "")) == 1
    assert len(problems("points: 4", "points: 010")) == 1
    assert len(problems("title: Forward", "title: *x")) == 1
    assert len(problems("unless: [backward.dW1]", "unless: [3]")) == 1, "a bad entry is an entry"
    assert len(problems("title: Forward", "titel: Forward")) == 2, "one unknown, one missing"


def test_all_problems_of_all_kinds_at_once():
    text = GOOD.replace("points: 4", "points: -4").replace("[forward.mean]", "[forward.men]")
    text = text.replace("at_least: 0", "at_least: 1").replace("id: small", "id: small\nid: big")
    with pytest.raises(RubricError) as caught:
        parse(text)
    said = [problem.split(":", 2)[1] for problem in caught.value.problems]
    assert said == ["3", "9", "24", "31"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: the file is empty; begin with `rubric: 1`"),
        ("# nothing\n", "1: the file is empty"),
        ("just text", "1: the rubric is 'just text', but must be a mapping"),
        ("[1, 2]", "1: the rubric is a list, but must be a mapping"),
        (
            "rubric: 1\nid: a\ntitle: A\nparts: []",
            "4: `parts` is a list, but must have at least one",
        ),
    ],
)
def test_files_that_are_no_rubric(text, expected):
    with pytest.raises(RubricError) as caught:
        parse(text)
    assert caught.value.problems[0].startswith(f"r.yaml:{expected}")


def test_any_change_to_a_byte_gives_a_rubric_or_a_rubric_error():
    for i in range(0, len(GOOD), 23):
        for byte in b"\x00\xff:-[{&*!'\"\n\t#":
            data = bytearray(GOOD.encode())
            data[i] = byte
            try:
                parse_rubric(bytes(data), "r.yaml", KNOWN)
            except RubricError:
                continue


WORDS = (
    "rubric",
    "id",
    "parts",
    "items",
    "points",
    "checks",
    "tiers",
    "passed",
    "bands",
    "at_least",
    "major",
    "codes",
)
LEAVES = st.sampled_from(
    [None, True, 0, -1, 10**30, 2.5, float("nan"), float("inf"), "", "a", "tiers"]
)


def boxes(inner):
    mappings = st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
    return LEAVES | st.lists(inner, max_size=3) | mappings | st.lists(mappings, max_size=3)


ANYTHING = boxes(boxes(boxes(LEAVES)))


KEYS = [*WORDS, "gates", "dimensions", "deductions", "title"]


@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING))
def test_any_data_of_any_shape_is_refused_in_order(data):
    text = json.dumps(data).replace("NaN", ".nan").replace("Infinity", ".inf")
    with pytest.raises(RubricError) as caught:
        parse_rubric(text.encode(), "r.yaml", KNOWN, CODES)
    assert all(problem.startswith("r.yaml:") for problem in caught.value.problems)


def test_loading_from_a_file(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(GOOD)
    assert load_rubric(path, KNOWN) == parse(GOOD)


def test_a_path_without_a_readable_file(tmp_path):
    for path in (tmp_path, tmp_path / "absent.yaml", tmp_path / "nul\0.yaml"):
        with pytest.raises(RubricError) as caught:
            load_rubric(path, KNOWN)
        assert "give the path of a YAML file" in str(caught.value)


def test_the_schema_describes_every_key_and_refuses_others():
    schema = rubric_schema()
    json.dumps(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert set(schema["required"]) == {"rubric", "id", "title", "parts"}
    for model in (schema, *schema["$defs"].values()):
        assert model["additionalProperties"] is False
        assert all(field["description"] for field in model["properties"].values())
