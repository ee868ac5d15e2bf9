"""Where a source states shapes; and what no source can make the reader do."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.source.shapes.claims import claims
from grader.source.shapes.statements import MAX_CHARACTERS, read_source
from grader.source.shapes.subjects import Referent

PIECES = st.sampled_from(
    [
        *("[B, H]", "(N,D)", "Z1", ":", "=", "->", "@", "x", "×", ",", " ", "#", '"', "'", "{"),
        *("scalar", "shape", "of", "R^{", "\\times", "(", "]", "-by-", "\n", "\t", "é", "\0"),
        "assert Z1.shape == ",
    ]
)
JUNK = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join))


@pytest.mark.parametrize(
    ("source", "names", "shape", "firm"),
    [
        ("Z1 = X @ W1  # [B, H]", ["Z1"], ("B", "H"), True),
        ("# [B, H]\nZ1 = X @ W1", ["Z1"], ("B", "H"), True),
        ("a, b = f()  # [B, H]", [], ("B", "H"), False),
        ("def f(X):\n    '''X: (N, D)'''", ["X"], ("N", "D"), True),
        ("assert Z1.shape == (B, H)", ["Z1"], ("B", "H"), True),
        ('Z1: Float[Array, "B H"] = f()', ["Z1"], ("B", "H"), True),
        ("g = {\n    'W1': a,  # [D, H]\n}", ["W1"], ("D", "H"), True),
    ],
)
def test_each_place_where_a_shape_can_stand(
    source: str, names: list[str], shape: tuple[str, ...], firm: bool
) -> None:
    found = [s for s in read_source(source.split("\n")).statements if s.subjects]
    assert [[s.name for s in f.subjects] for f in found] == ([names] if names else [])
    assert all((f.shape, f.firm) == (shape, firm) for f in found)


def test_a_hash_in_a_string_starts_no_comment() -> None:
    assert read_source(["x = '# [B, H]'"]).statements == ()


@given(JUNK)
def test_junk_is_read_without_an_error(text: str) -> None:
    claims(text)
    read_source(text.split("\n"))
    line = text.replace("\n", " ").replace("\0", " ")
    for source in (f"Z1 = 1  # {line}", f"# {line}\nZ1 = 1", f"def f(a):\n    '''{line}\n    '''"):
        for statement in read_source(source.split("\n")).statements:
            assert statement.subjects
            assert 1 <= statement.line <= 3


N = MAX_CHARACTERS - 1000
HOSTILE = {
    "one comment": "# " + "[B, H] -> " * (N // 10),
    "brackets": ("#" + "(" * 200 + "\n") * (N // 203),
    "shapes": "x = 1  # (B, H) -> (H, C) = (B, C) @ [D] x (N, N) : Z1 = \n" * (N // 60),
    "products": ("# a" + " x b" * 40 + "\n") * (N // 165),
    "blanks": ("#" + " " * 400 + "x\n") * (N // 403),
    "lists": ("# " + "Z1, " * 50 + "(B, H)\n") * (N // 210),
    "strings": ("x = " + '"#", ' * 100 + "# [B]\n") * (N // 520),
    "one line": "x = " + '"#",' * (N // 5),
    "parentheses": "(" * (N // 2) + ")" * (N // 2),
    "signs": "x = " + "-" * N + "1",
    "sum": "x = 1" + "+1" * (N // 2),
    "attributes": "x" + ".a" * (N // 2),
    "statements": "a=1;" * (N // 4) + "  # (B, H)",
    "format": 'x = f"""' + "{a}\n" * (N // 4) + '"""  # [B]',
    "docstring": '"""' + "X (B, D)  W1 (D, H) -> [B, H]: Z1\n" * (N // 35) + '"""',
    "display": "x = {\n" + '"W1": a,  # (B, H)\n' * (N // 20) + "}",
    "lengths": "assert " + " and ".join(["a.shape == (B, H)"] * (N // 25)),
    "functions": "".join(" " * i + f"def f{i}(a):\n" for i in range(95))
    + " " * 95
    + "a = 1  # (B)",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_source_costs_no_more_than_its_length(name: str) -> None:
    """The most text that is read: milliseconds if linear, minutes if quadratic."""
    text = HOSTILE[name]
    started = time.process_time()
    read_source(text.split("\n"))
    assert time.process_time() - started < 3.0


def test_a_source_too_long_or_broken_states_nothing() -> None:
    line = "Z1 = X @ W1  # [B, H]\n"
    assert read_source(line.split("\n")).statements
    assert not read_source((line * (MAX_CHARACTERS // len(line) + 1)).split("\n")).statements
    for broken in ("def f(:", "x = 1\0", "x = '\ud800'", "(" * 300 + ")" * 300):
        assert not read_source([*line.split("\n"), broken]).statements


def test_subjects_carry_the_place_of_their_value() -> None:
    (statement,) = read_source(["self.Z1 = X @ W1 + b1  # [B, H]"]).statements
    assert statement.subjects == (Referent("Z1", (1, 10, 1, 21)),)
