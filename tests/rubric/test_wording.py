"""pydantic's errors are said in our words, with the options and examples of the models."""

import pytest
from pydantic import BaseModel, ValidationError

from grader.rubric.model import Item, RubricFile, Tier
from grader.rubric.wording import MODELS, sentence


def said(value: object) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        RubricFile.model_validate(value)
    return [sentence(error) for error in caught.value.errors(include_url=False)]


def test_every_key_that_holds_models_is_known() -> None:
    assert MODELS["items"] is Item
    assert MODELS["tiers"] is Tier
    assert all(issubclass(model, BaseModel) for model in MODELS.values())
    assert {"gates", "groups", "bands", "contract", "arrays", "gradients"} <= MODELS.keys()


def test_a_near_word_is_taken_from_the_options_of_the_model() -> None:
    item = {"id": "i", "title": "I", "points": 1, "credit": "tierz"}
    problems = said({"parts": [{"id": "p", "title": "P", "items": [item]}]})
    assert any(p.endswith("; write `credit: tiers`") for p in problems), problems


def test_what_is_missing_has_an_example() -> None:
    assert "`id` is missing; write for example `id: onsite`" in said({})
