"""Names that a reader takes for one another are pointed out, and spelled so that they differ."""

from __future__ import annotations

import pytest

from grader.intake.lookalikes import lookalikes, skeleton, spelled


@pytest.mark.parametrize(
    "other",
    ["Ada-Okafor", "\u0430da-okafor", "ada\u200b-okafor", "ada-\u202eokafor", "ad\u0101-okafor",
     "\uff41da-okafor", "ada-0kafor", "\u0391da-okafor"],
)  # fmt: skip
def test_case_letters_alike_and_hidden_characters_make_no_other_name(other: str) -> None:
    assert skeleton(other) == skeleton("ada-okafor") == "ada-okafor"
    (group,) = lookalikes([("ada-okafor", "ada-okafor"), ("bob", "bob"), (other, "other-1")])
    assert group == ("ada-okafor (ada-okafor)", f"{spelled(other)} (other-1)")
    assert all(" " <= letter <= "~" for letter in group[1])


def test_other_names_stay_apart() -> None:
    names = ["ada", "adam", "ada b", "ada-b", "ben", "\u738b\u4f1f", "\u738b\u82b3", "ali", "all"]
    assert lookalikes((name, name) for name in names) == ()
