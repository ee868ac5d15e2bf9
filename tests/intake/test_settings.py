"""`submission.yaml` gives names, or notes; whatever its bytes, it does nothing else."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake.files import Read
from grader.intake.find import assemble
from grader.intake.settings import MOST_NOTES, read_settings
from grader.records import SourceFile
from tests.intake.test_find import FORWARD


def taken(text: str, *, renamed: bool = True):
    files = (
        SourceFile("hw/solution.py", FORWARD.encode()),
        SourceFile("hw/submission.yaml", text.encode()),
    )
    return assemble("id", "given", Read(files, ()), renamed=renamed)


def test_a_name_and_the_candidates_own_names() -> None:
    one = taken("name: Ada Lovelace\nnames:\n  forward: fwd\n  backward: Net.backprop\n")
    assert one.name == "Ada Lovelace"
    assert one.names == {"forward": "fwd", "backward": "Net.backprop"}
    assert one.notes == ()
    assert one.passed_over == ()


def test_a_name_that_the_export_gives_is_not_the_candidates_to_choose() -> None:
    assert taken("name: Somebody Else", renamed=False).name == "given"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("nmae: x", "`nmae` is not used"), ("name: [1]", "`name` is not used"), ("- a", "no mapping"),
        ("names: forward", "`names` is not used"), ("names: {frward: f}", "`names` has `frward`"),
        ("names: {forward: 'a b'}", "no name in Python"), ("names: {forward: __import__}", "no name"),
        ("names: {forward: 3}", "no name in Python"), ("name: &a x\nnames: *a", "is an anchor"),
        ("name: !!python/object/apply:os.system [id]", "is not data"), ("a: [", "not valid YAML"),
        ("name: x\nname: y", "given twice"), ("\x00", "not allowed"), ("x" * 20_000, "larger than"),
        ("[" * 100, "levels deep"), (f"name: {'x' * 500}", "`name` is not used"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_noted_and_costs_nothing(text: str, note: str) -> None:
    one = taken(text)
    assert any(note in row for row in one.notes), one.notes
    assert (one.main, one.unusable, one.name) == ("solution.py", (), "given")


@given(st.binary(max_size=400) | st.text("a:-[]{}&*!\n \"'|>%#", max_size=80).map(str.encode))
def test_any_bytes_give_names_and_notes(data: bytes) -> None:
    started = time.process_time()
    wishes = read_settings(data, "submission.yaml")
    assert time.process_time() - started < 2
    assert len(wishes.notes) <= MOST_NOTES
    assert all(key.isidentifier() for key in wishes.names)


@pytest.mark.slow
def test_no_file_costs_no_import_of_yaml() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from grader.intake import take_in; "
        "take_in(Path(sys.argv[1])); print('yaml' in sys.modules)"
    )
    import grader

    root = str(__import__("pathlib").Path(grader.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code, f"{root}/reference"], cwd=root, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "False"
