"""What the frozen record counts as a difference."""

from __future__ import annotations

from tests.frozen.__main__ import UNSTEADY, changes, differences


def row(score: float, **more: object) -> dict[str, object]:
    return {"score": score, "defects": [], **more}


def test_a_difference_names_its_place_and_both_sides() -> None:
    before, after = {"ada#41": row(80.0)}, {"ada#41": row(79.0)}
    assert list(differences(before, after, "samples")) == ["samples ada#41 score: 80.0 -> 79.0"]


def test_what_is_new_and_what_is_gone_differs() -> None:
    lines = list(differences({"ada": 1}, {"bob": 1}))
    assert lines == [" ada: 1 -> null", " bob: null -> 1"]


def test_only_the_groups_and_seeds_that_were_graded_are_compared() -> None:
    kept = {"samples": {"ada#41": row(80.0), "ada#42": row(80.0)}, "binding": {"a#41": row(1.0)}}
    assert changes(kept, {"samples": {"ada#41": row(80.0)}}, 1) == []
    assert changes(kept, {"samples": {"ada#41": row(80.0)}}, 2) == [
        'samples ada#42: {"score": 80.0, "defects": []} -> null'
    ]


def test_of_an_unsteady_attack_the_status_is_compared() -> None:
    name = f"{UNSTEADY[0]}#41"
    kept = {"hostile": {name: row(8.0, status="graded")}}
    assert changes(kept, {"hostile": {name: row(2.0, status="graded")}}, 1) == []
    assert changes(kept, {"hostile": {name: row(8.0, status="undecided")}}, 1) == [
        f'hostile {name} status: "graded" -> "undecided"'
    ]
