"""Every change that a reviewer made, in one SQLite file beside the results.

Changes are added, never altered: triggers refuse anything else. A change names the
version that it was made upon, so of two reviewers who change the same field at once
the second learns of the first. `save` returns when the change is on the disk: a
write-ahead log that is synchronised at every commit survives the end of any process.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.errors import CallerError

STORE_FILE = "review.sqlite3"
BUSY_SECONDS = 10.0

SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS changes (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  submission TEXT NOT NULL,
  field TEXT NOT NULL,
  version INTEGER NOT NULL,
  value TEXT NOT NULL,
  who TEXT NOT NULL,
  at TEXT NOT NULL,
  digest TEXT NOT NULL,
  rubric TEXT NOT NULL,
  UNIQUE (submission, field, version)
);
CREATE TRIGGER IF NOT EXISTS kept_as_it_was BEFORE UPDATE ON changes
  BEGIN SELECT RAISE(ABORT, 'a change is never altered'); END;
CREATE TRIGGER IF NOT EXISTS kept_for_ever BEFORE DELETE ON changes
  BEGIN SELECT RAISE(ABORT, 'a change is never removed'); END;
COMMIT;
"""
COLUMNS = "number, submission, field, version, value, who, at, digest, rubric"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one field. `value` is None where what was said is taken back.

    `number` grows with every change of the store, `version` from 1 with those of the
    field. `digest` is the submission's and `rubric` the rubric's when it was made;
    `at` is UTC, ISO 8601.
    """

    number: int
    submission: str
    field: str
    version: int
    value: dict[str, Any] | None
    who: str
    at: str
    digest: str
    rubric: str

    @property
    def kind(self) -> str:
        """Return what sort of field it is; see `grader.review.forms`."""
        return self.field.partition("/")[0]

    @property
    def about(self) -> str:
        """Return the item, check or comment that the field is about."""
        return self.field.partition("/")[2]


class Conflict(Exception):
    """Somebody else changed the field first; `change` is what stands there now, if anything."""

    def __init__(self, change: Change | None) -> None:
        super().__init__("the field was changed in the meantime")
        self.change = change


class Store:
    """The changes in one file. Each call opens it anew, so threads and processes may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(
        self,
        submission: str,
        field: str,
        value: Mapping[str, Any] | None,
        *,
        base: int,
        who: str,
        digest: str,
        rubric: str,
    ) -> Change:
        """Add a change on top of version `base` (0: of nothing), and be sure of it.

        Raises `Conflict` when another version stands there, `CallerError` when the
        file cannot be written.
        """
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        text = json.dumps(value, allow_nan=False)
        row = (submission, field, base + 1, text, who, at, digest, rubric)
        with self._open(create=True) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                now = self._now(connection, submission, field)
                if (now.version if now else 0) != base:
                    raise Conflict(now)
                added = connection.execute(
                    "INSERT INTO changes (submission, field, version, value, who, at, digest,"
                    " rubric) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    row,
                )
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        assert added.lastrowid is not None
        return _change((added.lastrowid, *row))

    def history(self, submission: str) -> tuple[Change, ...]:
        """Return all changes of a submission, in the order in which they were made."""
        return self._select("WHERE submission = ? ORDER BY number", submission)

    def latest(self, submission: str) -> dict[str, Change]:
        """Return the last change of each of its fields."""
        return {change.field: change for change in self.history(submission)}

    def last_numbers(self) -> dict[str, int]:
        """Return by submission the number of its last change."""
        if not self.path.is_file():
            return {}
        with self._open() as connection:
            if not _has_table(connection):
                return {}
            rows = connection.execute("SELECT submission, MAX(number) FROM changes GROUP BY 1")
            return dict(rows.fetchall())

    def _select(self, condition: str, *values: object) -> tuple[Change, ...]:
        if not self.path.is_file():
            return ()
        with self._open() as connection:
            if not _has_table(connection):
                return ()
            rows = connection.execute(f"SELECT {COLUMNS} FROM changes {condition}", values)
            return tuple(_change(row) for row in rows)

    def _now(self, connection: sqlite3.Connection, submission: str, field: str) -> Change | None:
        row = connection.execute(
            f"SELECT {COLUMNS} FROM changes WHERE submission = ? AND field = ?"
            " ORDER BY version DESC LIMIT 1",
            (submission, field),
        ).fetchone()
        return _change(row) if row else None

    @contextmanager
    def _open(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            with closing(
                sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            ) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                if create and not _has_table(connection):
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.executescript(SCHEMA)
                yield connection
        except sqlite3.Error as error:
            raise CallerError(f"{self.path} cannot be used: {error}") from error


def _has_table(connection: sqlite3.Connection) -> bool:
    """Return whether the table stands; another process may just have made the file."""
    return bool(
        connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'kept_for_ever'").fetchone()
    )


def _change(row: tuple[Any, ...]) -> Change:
    number, submission, field, version, value, *rest = row
    return Change(number, submission, field, version, json.loads(value), *rest)
