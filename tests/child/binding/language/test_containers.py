"""The one argument that holds all weights is written as the function's own text uses it."""

from __future__ import annotations

import pytest

from grader.child.binding.language.containers import containers, fields_of
from tests.child.binding.loaded import binding_of


@pytest.mark.parametrize(
    ("body", "form"),
    [
        ("return p['w1'] + p['b1'] + p.get('w2')", "{'w1': W1, 'b1': b1, 'w2': W2, 'b2': b2}"),
        ("return p.W1, p.W2", "SimpleNamespace(W1=W1, W2=W2)"),
        ("(w1, b1), (w2, b2) = p", "((W1, b1,), (W2, b2,),)"),
        ("w2, _, w1 = p", "(W2, None, W1,)"),
        ("return p[0] + p[1] + p[2] + p[3]", "[W1, b1, W2, b2]"),
    ],
)
def test_a_form_is_read_off_the_text(body: str, form: str) -> None:
    (function,) = binding_of(f"def f(p):\n    {body}\n").source.functions
    assert {c.text for c in containers(function, "p")} == {form}


def test_what_names_no_weights_is_no_form() -> None:
    (function,) = binding_of("def f(p):\n    return p['x'] + p.y\n").source.functions
    assert containers(function, "p") == []


def test_a_class_of_fields_is_one() -> None:
    text = "class P:\n    W1: int\n    b1: int\n    W2: int\n    b2: int\n"
    text += "    def __init__(self, **weights): vars(self).update(weights)\n"
    (form,) = fields_of(binding_of(text).source.classes)
    assert form.text == "P(W1=W1, b1=b1, W2=W2, b2=b2)"
