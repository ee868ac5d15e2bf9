"""Ids are safe everywhere, different where they must be, and stay what they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake.identity import MAX_ID, safe_id, stable_id, unique_ids

SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
NAMES = st.one_of(
    st.text(max_size=90),
    st.text("abAB.-_ é/\\\n", max_size=70),
    st.sampled_from(["con", "CON.txt", "nul", "lpt1.a.b", "cön.x", "..", "-rf", "=1+1", "a" * 64]),
)


@given(NAMES)
def test_an_id_is_safe_as_a_file_name_and_in_html_csv_and_a_shell(name: str) -> None:
    identity = safe_id(name)
    assert SAFE.fullmatch(identity)
    assert not identity.endswith(".")
    assert not RESERVED.fullmatch(identity)
    assert len(identity) <= MAX_ID


@given(NAMES)
def test_an_id_is_its_own_id(name: str) -> None:
    assert safe_id(safe_id(name)) == safe_id(name)


@pytest.mark.parametrize("name", ["ada", "Ada_Lovelace", "a.b-c", "0", "x" * 64, "console", "_a"])
def test_a_safe_name_stays_as_it_is(name: str) -> None:
    assert safe_id(name) == name


@pytest.mark.parametrize(
    "name",
    ["con", "CON.txt", "nul.tar.gz", "Lpt9", "cön.x", "AUX."],
)
def test_no_id_is_a_device_of_windows(name: str) -> None:
    assert not RESERVED.fullmatch(safe_id(name))


@pytest.mark.parametrize("name", ["", ".", "..", "---", "数学", "\ud800", "\0", "-"])
def test_a_name_without_a_safe_letter_still_gets_an_id(name: str) -> None:
    assert safe_id(name).startswith("submission-")


@pytest.mark.parametrize(
    ("one", "other"),
    [("a b", "a-b"), ("é", "e"), ("数", "学"), ("x" * 65, "x" * 66), ("../a", "a"), ("-a", "a")],
)
def test_different_names_get_different_ids(one: str, other: str) -> None:
    assert safe_id(one) != safe_id(other)


def test_an_accent_is_dropped_and_the_rest_can_be_read() -> None:
    assert re.fullmatch(r"Jose-Nunez-[0-9a-f]{8}", safe_id("José Núñez"))


@given(st.lists(NAMES, max_size=12))
def test_ids_are_pairwise_different_even_where_case_does_not_count(names: list[str]) -> None:
    ids = unique_ids(map(safe_id, names))
    assert len(ids) == len(names)
    assert len({i.lower() for i in ids}) == len(ids)
    assert all(SAFE.fullmatch(i) for i in ids)


@given(st.lists(NAMES, max_size=12))
def test_unique_ids_are_their_own_unique_ids(names: list[str]) -> None:
    ids = unique_ids(map(safe_id, names))
    assert unique_ids(ids) == ids


def test_equal_names_are_numbered() -> None:
    assert unique_ids(["ada", "Ada", "ada-2", "ada"]) == ["ada", "Ada-2", "ada-2-2", "ada-3"]


def test_a_long_name_is_cut_to_make_room_for_its_number() -> None:
    ids = unique_ids(["x" * 64] * 12)
    assert max(map(len, ids)) == MAX_ID
    assert len(set(ids)) == 12


@given(st.lists(NAMES, max_size=12, unique=True))
def test_stable_ids_need_no_numbers(names: list[str]) -> None:
    """Each is made of its own name alone, and yet no two are alike."""
    ids = [stable_id(name, name) for name in names]
    assert unique_ids(ids) == ids
    assert all(SAFE.fullmatch(id) for id in ids)


def test_a_plain_name_is_its_own_id_and_what_may_be_anothers_is_not() -> None:
    assert stable_id("ada-okafor", "ada-okafor") == "ada-okafor"
    assert stable_id("alice.py", "alice.py") == "alice.py"
    others = [("Bob", "Bob"), ("BOB", "BOB"), ("bob", "12"), ("bob", "13"), ("a b", "a b")]
    others += [("a-b-" + stable_id("a b", "a b")[-8:],) * 2]
    ids = [stable_id(*each) for each in others]
    assert all(re.search(r"-[0-9a-f]{8}$", id) for id in ids)
    assert len({id.lower() for id in ids}) == len(ids)
    assert ids[2].startswith("bob-12-")
