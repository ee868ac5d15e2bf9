"""Arrays are found wherever an object keeps them, and replaced there."""

from __future__ import annotations

from collections import OrderedDict
from types import SimpleNamespace

import numpy as np
import pytest

from grader.child.binding.language import places


def held() -> SimpleNamespace:
    return SimpleNamespace(
        W=np.zeros(2), params={"b": np.zeros(3)}, layers=[SimpleNamespace(w=np.zeros(4))],
        pair=(np.zeros(5), "text"), by_name=OrderedDict(first=np.zeros(6)), nothing=None,
    )  # fmt: skip


WHERE = {
    2: "self.W",
    3: "self.params['b']",
    4: "self.layers[0].w",
    5: "self.pair[0]",
    6: "self.by_name['first']",
}


def test_every_array_is_found_under_the_words_that_reach_it() -> None:
    found = {len(array): places.text(place, "self") for place, array in places.walk(held())}
    assert found == WHERE


@pytest.mark.parametrize("size", WHERE)
def test_what_is_put_is_found_there(size: int) -> None:
    subject = held()
    place = next(p for p, a in places.walk(subject) if len(a) == size)
    places.put(subject, place, np.ones(size))
    assert places.get(subject, place).sum() == size
    others = [a.sum() for p, a in places.walk(subject) if p != place]
    assert others == [0, 0, 0, 0]


def test_a_replaced_part_leaves_the_original_alone() -> None:
    original = (np.zeros(2), np.zeros(3))
    other = places.replaced(original, 1, np.ones(3))
    assert other[1].sum() == 3
    assert other[0] is original[0]
    assert original[1].sum() == 0


def test_a_key_that_cannot_be_written_gets_a_name() -> None:
    key, keys = object(), dict[str, object]()
    assert places.text((("key", key), ("attribute", "W")), "net", keys) == "net[key0].W"
    assert keys == {"key0": key}


def test_the_same_array_in_two_places_is_known_as_such() -> None:
    array = np.zeros(2)
    subject = SimpleNamespace(
        params={"W": array}, layer=SimpleNamespace(W=array), other=np.zeros(2)
    )
    at = {"W1": (("attribute", "params"), ("key", "W"))}
    assert places.aliases(subject, at)["W1"] == ((("attribute", "layer"), ("attribute", "W")),)


def test_an_object_that_holds_itself_ends() -> None:
    subject = held()
    subject.me = subject
    assert len(list(places.walk(subject))) == 5
