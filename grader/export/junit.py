"""JUnit's XML: a suite for each submission, a case for each check. For CI and its annotations.

Whoever hands in an answer may read them: they hold what a candidate may know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from grader.cohort.store import writing_whole
from grader.export.entry import Done, Job
from grader.report.audience import told_check
from grader.report.escape import clip, visible
from grader.review import Reviewed

MOST_LETTERS = 4000


def write(job: Job) -> Done:
    """Return all submissions in one file, one after another."""
    count = 0
    with writing_whole(job.output) as stream:
        stream.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="grader">\n')
        for reviewed in job.folder.all_reviewed():
            stream.writelines(_suite(reviewed))
            count += 1
        stream.write("</testsuites>\n")
    return Done(job.output, count)


def _suite(reviewed: Reviewed) -> Iterator[str]:
    document = reviewed.document
    statuses = [check["status"] for check in document["checks"]]
    seconds = document.get("timing", {}).get("wall_s") or 0.0
    attributes = {
        "name": reviewed.id,
        "tests": str(len(statuses)),
        "failures": str(statuses.count("fail")),
        "errors": str(statuses.count("error")),
        "skipped": str(statuses.count("skipped") + statuses.count("manual")),
        "time": f"{seconds:.3f}",
    }
    yield f"  <testsuite{_attributes(attributes)}>\n    <properties>\n"
    for name in ("status", "score", "max_score", "open_points", "band", "reason"):
        value = "" if document.get(name) is None else str(document[name])
        yield f"      <property{_attributes({'name': name, 'value': value})}/>\n"
    yield "    </properties>\n"
    for check in document["checks"]:
        yield from _case(reviewed.id, check)
    yield "  </testsuite>\n"


def _case(id: str, check: Mapping[str, Any]) -> Iterator[str]:
    """Yield one check: what failed, what waited, and what was our fault are three things."""
    attributes = {"classname": f"{id}.{check['part']}", "name": check["id"], "time": "0"}
    message = clip(told_check(check), MOST_LETTERS)
    match check["status"]:
        case "fail":
            hint = f"\n{check['hint']}" if check.get("hint") else ""
            kind = " ".join(check["explained_by"]) or "check"
            head = _attributes({"message": message, "type": kind})
            inner = f"<failure{head}>{escape(visible(message + hint))}</failure>"
        case "error":
            inner = f"<error{_attributes({'message': message, 'type': 'grader'})}/>"
        case "skipped" | "manual":
            inner = f"<skipped{_attributes({'message': message})}/>"
        case _:
            inner = ""
    opened = f"    <testcase{_attributes(attributes)}"
    yield f"{opened}>{inner}</testcase>\n" if inner else f"{opened}/>\n"


def _attributes(values: Mapping[str, str]) -> str:
    """Return attributes made visible, which leaves nothing that XML 1.0 cannot hold."""
    return "".join(
        f" {name}={quoteattr(visible(value), {chr(10): '&#10;', chr(9): '&#9;'})}"
        for name, value in values.items()
    )
