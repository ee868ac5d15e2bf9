"""JUnit's XML: a schema accepts it, a reader of another house reads it, controls are gone."""

from __future__ import annotations

from pathlib import Path

import junitparser
import xmlschema

from grader.export import export
from grader.review import Folder

SCHEMA = Path(__file__).with_name("junit.xsd")


def test_the_schema_accepts_it_and_a_reader_counts_the_same(folder: Folder, tmp_path: Path) -> None:
    done = export(folder, "junit", tmp_path / "junit.xml")
    xmlschema.XMLSchema(SCHEMA).validate(done.written)
    suites = {suite.name: suite for suite in junitparser.JUnitXml.fromfile(str(done.written))}
    assert set(suites) == {"ada", "bob", "eve", "una"}
    for id, suite in suites.items():
        statuses = [c["status"] for c in folder.reviewed(id).document["checks"]]
        cases = list(suite)
        assert suite.tests == len(cases) == len(statuses)
        assert suite.failures == statuses.count("fail") == sum(c.is_failure for c in cases)
        assert suite.errors == statuses.count("error") == sum(c.is_error for c in cases)
        assert suite.skipped == sum(c.is_skipped for c in cases)
    assert suites["una"].errors > 0, "our own failure is an error, no candidate's failure"
    assert suites["bob"].failures == 1


def test_what_a_candidate_wrote_is_text_and_shows(folder: Folder, tmp_path: Path) -> None:
    done = export(folder, "junit", tmp_path / "junit.xml")
    eve = next(s for s in junitparser.JUnitXml.fromfile(str(done.written)) if s.name == "eve")
    message = next(c for c in eve if c.is_failure).result[0].message
    assert "</td><script>alert(1)</script>" in message
    assert r"\x1b[31m\u202e" in message
    assert "\n" in message, "line ends survive the attribute"
    assert "<script>" not in done.written.read_text("utf-8")
