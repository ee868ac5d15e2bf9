import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.rubric.load import CAPS
from grader.yaml_data import Lines, Plain, Unreadable, read_yaml

MOST_BYTES = CAPS.bytes


def load_yaml(data: bytes) -> tuple[Plain, Lines]:
    reading = read_yaml(data, CAPS)
    if reading.problems:
        raise Unreadable(reading.problems)
    return reading.plain, reading.lines


def problems(data: bytes | str) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        load_yaml(data.encode() if isinstance(data, str) else data)
    return [f"f.yaml:{p.line}: {p.text}" for p in sorted(caught.value.problems)]


def test_plain_data_and_the_line_of_each_value():
    text = "a: 1\nb:\n  - x\n  - {c: 2.5, d: [true, null]}\ne: >-\n  folded\n  text\n"
    plain, lines = load_yaml(text.encode())
    assert plain == {"a": 1, "b": ["x", {"c": 2.5, "d": [True, None]}], "e": "folded text"}
    assert [lines.at(p) for p in [(), ("a",), ("b",), ("b", 0), ("b", 1, "d", 1), ("e",)]] == [
        1, 1, 2, 3, 4, 5,
    ]  # fmt: skip
    assert lines.at(("b", 1, "absent", 7)) == 4, "the nearest thing around it"


def test_a_key_stands_for_its_value_even_on_the_next_line():
    _, lines = load_yaml(b"a:\n\n  text\n")
    assert lines.at(("a",)) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("2.50", 2.5),
        (".5", 0.5),
        ("1.0e+3", 1000.0),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("'12'", "12"),
        ("2024-01-01", "2024-01-01"),
        ("yes", True),
        ("no", False),
        ("~", None),
        ("=", "="),
        ("1e3", "1e3"),
    ],
)
def test_scalars(text, value):
    plain, _ = load_yaml(f"k: {text}".encode())
    assert plain == {"k": value}
    assert type(plain["k"]) is type(value)


def test_nan_is_read_so_that_the_schema_can_refuse_it():
    plain, _ = load_yaml(b"k: .nan")
    assert plain["k"] != plain["k"]


def test_windows_lines_and_a_byte_order_mark_are_read():
    plain, lines = load_yaml(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert plain == {"a": 1, "b": 2}
    assert lines.at(("b",)) == 2


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("a: 010", "f.yaml:1: '010' is no plain number"),
        ("a: 0x1F", "f.yaml:1: '0x1F' is no plain number"),
        ("a: 1:30", "f.yaml:1: '1:30' is no plain number"),
        ("a: 1_000", "f.yaml:1: '1_000' is no plain number"),
        ("a:\n  - " + "9" * 6000, "f.yaml:2: '999"),
        ("\na: &x 1", "f.yaml:2: `&x` is an anchor"),
        ("a: 1\nb: *x", "f.yaml:2: `*x` is an alias"),
        ("a: !!python/object/apply:os.system ['x']", "f.yaml:1: the tag '!!python/object/apply"),
        ("a: !thing {b: 1}", "f.yaml:1: the tag '!thing'"),
        ("a: 1\nb: 2\na: 3", "f.yaml:3: `a` is given twice, first on line 1"),
        ("? [1, 2]\n: 3", "f.yaml:1: a key is a list or a mapping"),
        ("a: 1\n---\nb: 2", "f.yaml:2: a second document starts"),
        ("a: [1, 2\nb: 3", "f.yaml:2: not valid YAML"),
        ("a: 1\n\tb: 2", "f.yaml:2: not valid YAML"),
        ('a: "\\UFFFFFFFF"', "f.yaml:1: not readable as YAML"),
        ('a: "\\ud800"', "f.yaml:1: '\\ud800' holds a control character"),
        ('a: "\\e[31m"', "f.yaml:1: '\\x1b[31m' holds a control character"),
        ('"\\0": 1', "f.yaml:1: the key '\\x00' holds a control character"),
        ("%YAML " + "9" * 5000 + ".1\n---\na", "f.yaml:1: not readable as YAML"),
        (b"a: 1\nb: \xff\xfe", "f.yaml:2: byte 0xff is not UTF-8"),
        (b"a: 1\n\nb: \x00", "f.yaml:3: character '\\x00' is not allowed"),
        ("[" * 100_000, "f.yaml:1: nested more than 16 levels deep"),
        ("- " * 50_000, "f.yaml:1: nested more than 16 levels deep"),
        ("a: [" + "1," * 6000 + "]", "f.yaml:1: more than 5000 values"),
        (b"#" * (MOST_BYTES + 1), "f.yaml:1: the file is larger than 256 kB"),
    ],
)
def test_refused_with_line_and_next_step(data, expected):
    (problem,) = problems(data)
    assert problem.startswith(expected)
    assert ";" in problem, "what to write instead is missing"
    assert "\n" not in problem


def test_all_problems_at_once_in_the_order_of_lines():
    said = problems("a: 010\na: 1\nb: &x 2\nc: *x\nd: !t 1\n")
    assert [p.split(":")[1] for p in said] == ["1", "2", "3", "4", "5"]


def test_the_billion_laughs_end_at_once():
    levels = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{f'*a{i - 1}, ' * 9}]" for i in range(1, 30)]
    begin = time.process_time()
    assert "anchor" in problems("\n".join(levels))[0]
    assert time.process_time() - begin < 5


@given(
    st.one_of(st.binary(max_size=300), st.text("ab:-[]{}&*!|>'\"%#?,\n\t 01.~@`\\", max_size=80))
)
def test_any_bytes_give_data_or_problems(data):
    try:
        load_yaml(data if isinstance(data, bytes) else data.encode())
    except Unreadable as error:
        problems = error.problems
    else:
        return
    assert problems
    "".join(problem.text for problem in problems).encode()
