"""A folder of results with a hostile candidate, an undecided one, and marks of humans."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.checks import ALL_CHECKS
from grader.records import CheckStatus, Defect, Finding, Severity
from grader.report.document import grade_json
from grader.review import Folder, open_folder
from grader.review.forms import ChangeRequest
from grader.rubric import Rubric
from grader.scoring import grade

HOSTILE = "=cmd|'/C calc'!A0\n</td><script>alert(1)</script>\x1b[31m\u202e;,\"Points Possible"
FORMULA = '@SUM(1+1)*cmd|" /C calc"!A0'
GRADED = ("ada", "bob", "eve")


def result(
    rubric: Rubric, id: str, *, name: str, who: str, fails: Mapping[str, str], status: str = ""
) -> dict[str, Any]:
    """A `result.json` as the grader writes it: `fails` are the messages of failed checks."""
    usual = CheckStatus.ERROR if status else CheckStatus.PASS
    extras = {c for part in rubric.parts for i in part.items if i.bonus for c in i.checks}
    found = {c.id: CheckStatus.SKIPPED if c.id in extras else usual for c in ALL_CHECKS}
    found |= dict.fromkeys(fails, CheckStatus.FAIL)
    findings = [Finding(id, verdict, fails.get(id, "Right.")) for id, verdict in found.items()]
    given = grade(rubric, findings, {c.id: c for c in ALL_CHECKS})
    defect = Defect("loss-sign", Severity.MAJOR, HOSTILE, "hint", file="solution.py", line=1)
    return {
        "schema_version": 1,
        "grader_version": "0.1.0",
        "seed": 1,
        "submission": {
            "id": id, "name": name, "digest": "sha256:1", "files": ["solution.py"],
            "main": "solution.py", "who": who,
        },
        "rubric": {"id": rubric.id, "title": rubric.title, "digest": rubric.digest},
        "status": given.status.value,
        "fault": status,
        "sources": [{"path": "solution.py", "text": "x = 1"}],
        "answers": "",
        **grade_json(given),
        "defects": [
            {
                "code": defect.code, "severity": "major", "tensors": [], "confidence": "proven",
                "message": defect.message, "hint": "", "file": defect.file, "line": 1,
                "end_line": 1, "source": "x = 1",
            }
        ] if fails else [],
        "isolation": {},
        "timing": {"wall_s": 1.25},
    }  # fmt: skip


@pytest.fixture
def folder(onsite: Rubric, tmp_path: Path) -> Folder:
    out = tmp_path / "out"
    people = {
        "ada": result(onsite, "ada", name="Ada Okafor", who="101", fails={}),
        "bob": result(onsite, "bob", name="Bob", who="102", fails={"forward.loss": FORMULA}),
        "eve": result(onsite, "eve", name=HOSTILE, who="103", fails={"forward.mean": HOSTILE}),
        "una": result(onsite, "una", name="Una", who="104", fails={}, status="ours"),
    }
    for id, document in people.items():
        (out / "submissions" / id).mkdir(parents=True)
        path = out / "submissions" / id / "result.json"
        path.write_text(json.dumps(document))
    (out / "rubric.yaml").write_bytes(onsite.text)
    made = open_folder(out)
    for id, points in (("ada", 1.5), ("eve", 2.0)):
        value = {"points": points, "ticked": [], "note": HOSTILE}
        made.save(id, ChangeRequest(field="mark/followup-q1", value=value, base=0, who="=Reviewer"))
    remark = {"file": "solution.py", "line": 1, "text": "<b>why</b>?"}
    made.save("ada", ChangeRequest(field="comment/1", value=remark, base=0, who="=Reviewer"))
    return made
