"""What names and letters of one source stand for."""

from __future__ import annotations

from grader.checks.notation import Notation, TracedNames
from grader.source.shapes.statements import read_source
from grader.source.shapes.subjects import Referent
from tests.checks.simulation import PAPER

SIZES = PAPER.cases["primes"].sizes


def notation(text: str) -> Notation:
    """Return what a source's own words tell, with nothing traced."""
    source = read_source(text.split("\n"))
    return Notation("solution.py", source, TracedNames((), source.lines), SIZES)


def test_a_name_of_the_problem_has_its_shape() -> None:
    plain = notation("")
    assert plain.truth(Referent("Z1"), "").shape == ("B", "H")
    assert plain.truth(Referent("W1.T"), "").shape == ("H", "D")
    assert plain.truth(Referent("something"), "") is None


def test_letters_that_the_code_defines_come_first() -> None:
    own = notation("def f(X, W1):\n    H, B = X.shape\n")
    assert own.letter("H", "f", sure=True) == "B"
    assert own.letter("H", "g", sure=True) == "B"
    assert notation("").letter("H", "f", sure=True) == "H"


def test_a_letter_used_consistently_stands_for_one_size() -> None:
    used = notation("Z1 = X @ W1  # [q, H]\nZ2 = H1 @ W2  # [q, C]\n")
    assert used.letter("q", "", sure=False) == "B"
    assert notation("").letter("q", "", sure=False) is None
