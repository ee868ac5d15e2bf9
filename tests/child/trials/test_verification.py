"""What is reported of a verification; how many styles there are stands in `checks`."""

from __future__ import annotations

from tests.child.trials.conftest import NETWORK, Examine

VERIFY = """
def verify(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.allclose(mine[k], theirs[k]) for k in {names})
"""
ALL = '("W1", "b1", "W2", "b2", "X")'


def line(text: str, part: str) -> int:
    return next(i for i, row in enumerate((NETWORK + text).splitlines(), 1) if part in row)


def test_each_wrong_gradient_is_refused_where_it_is_compared(examine: Examine) -> None:
    text = VERIFY.format(names=ALL)
    report = examine("verify_trials", text)
    assert (report["form"], report["accepts"], report["stopped"]) == ("function", True, "")
    assert {t["outcome"] for t in report["trials"]} == {"refused"}
    assert {t["tensor"] for t in report["trials"]} == {"W1", "b1", "W2", "b2", "X"}
    assert {(t["file"], t["line"]) for t in report["trials"]} == {("a.py", line(text, "allclose"))}
    assert report["verdict"] == ["a.py", line(text, "return all")]


def test_what_is_not_compared_is_accepted(examine: Examine) -> None:
    report = examine("verify_trials", VERIFY.format(names='("W1", "b1")'))
    accepted = {t["tensor"] for t in report["trials"] if t["outcome"] == "accepted"}
    assert accepted == {"W2", "b2", "X"}


def test_a_loose_comparison_is_measured_on_the_ladder(examine: Examine) -> None:
    text = VERIFY.format(names=ALL).replace("theirs[k])", "theirs[k], 0.05, 0.0)")
    trials = examine("verify_trials", text)["trials"]
    scaled = [t for t in trials if t["tensor"] == "W1" and t["kind"] == "scale"]
    assert [(t["amount"], t["outcome"]) for t in scaled] == [
        (1.01, "accepted"), (1.01, "accepted"), (1.1, "refused"),
    ]  # fmt: skip


def test_a_verification_that_objects_to_equals_is_asked_no_more(examine: Examine) -> None:
    text = VERIFY.format(names=ALL).replace("return all", "return not all")
    report = examine("verify_trials", text)
    assert (report["accepts"], report["trials"]) == (False, [])


def test_what_does_not_load_leaves_a_reason(examine: Examine) -> None:
    report = examine("verify_trials", "def (")
    assert report["stopped"].startswith("SyntaxError")
    assert report["form"] == ""
