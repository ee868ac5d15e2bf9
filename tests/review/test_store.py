"""Changes are only ever added, and each says upon which version it was made."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from grader.errors import CallerError
from grader.review.store import Change, Conflict, Store


def saved(store: Store, value: object, *, base: int = 0, who: str = "Ada") -> Change:
    facts = {"digest": "sha256:1", "rubric": "sha256:2"}
    return store.save("ada", "mark/q1", {"points": value}, base=base, who=who, **facts)


def test_what_was_saved_is_read_back_with_who_and_when(tmp_path: Path) -> None:
    store = Store(tmp_path / "review.sqlite3")
    assert store.latest("ada") == {}
    first = saved(store, 1)
    second = saved(store, 2, base=1, who="Bob")
    assert store.history("ada") == (first, second)
    assert store.latest("ada") == {"mark/q1": second}
    assert (second.version, second.who, second.value) == (2, "Bob", {"points": 2})
    assert second.at.endswith("+00:00")
    assert store.last_numbers() == {"ada": second.number}


@pytest.mark.parametrize("base", [0, 2])
def test_a_change_upon_another_version_is_refused_and_shown_what_stands(
    tmp_path: Path, base: int
) -> None:
    store = Store(tmp_path / "review.sqlite3")
    first = saved(store, 1)
    with pytest.raises(Conflict) as refused:
        saved(store, 3, base=base)
    assert refused.value.change == first
    assert store.history("ada") == (first,)


def test_of_many_who_save_at_once_each_version_has_one_author(tmp_path: Path) -> None:
    store = Store(tmp_path / "review.sqlite3")

    def insist(who: str) -> None:
        for point in range(10):
            while True:
                now = store.latest("ada").get("mark/q1")
                try:
                    saved(store, point, base=now.version if now else 0, who=who)
                    break
                except Conflict:
                    continue

    threads = [threading.Thread(target=insist, args=(name,)) for name in ("Ada", "Bob", "Eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = store.history("ada")
    assert [change.version for change in history] == list(range(1, 31))
    for name in ("Ada", "Bob", "Eve"):
        mine = [change.value for change in history if change.who == name]
        assert mine == [{"points": point} for point in range(10)]


@pytest.mark.parametrize("command", ["UPDATE changes SET who = 'Eve'", "DELETE FROM changes"])
def test_nothing_is_altered_or_removed_even_by_hand(tmp_path: Path, command: str) -> None:
    store = Store(tmp_path / "review.sqlite3")
    first = saved(store, 1)
    with sqlite3.connect(store.path) as connection, pytest.raises(sqlite3.Error, match="never"):
        connection.execute(command)
    assert store.history("ada") == (first,)


def test_a_commit_is_on_the_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    store = Store(tmp_path / "review.sqlite3")
    saved(store, 1)
    with store._open() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_file_that_is_no_store_is_said_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "review.sqlite3"
    path.write_bytes(b"not a database, but long enough to be looked at" * 10)
    with pytest.raises(CallerError, match="cannot be used"):
        saved(Store(path), 1)
