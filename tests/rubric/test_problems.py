from grader.rubric.problems import did_you_mean, refusal
from grader.yaml_data import Problem


def test_problems_are_in_the_order_of_lines_and_each_once():
    error = refusal("f.yaml", [Problem(2, "b; c"), Problem(1, "a; b"), Problem(2, "b; c")])
    assert error.problems == ("f.yaml:1: a; b", "f.yaml:2: b; c")


def test_many_problems_are_counted_not_listed():
    error = refusal("f.yaml", [Problem(line, "wrong; right") for line in range(1, 151)])
    assert len(error.problems) == 101
    assert error.problems[-1].startswith("f.yaml:101: 50 more problems")


def test_a_near_word_is_suggested_and_a_long_one_never():
    assert did_you_mean("forwards", ["forward", "backward"]) == "forward"
    assert did_you_mean("x" * 61, ["x" * 60]) == ""
