"""Gradescope, “Export Submissions”: a folder `submission_<number>` each, and who it is from.

`submission_metadata.yml` is Ruby's YAML and may be long, for it holds every result and
history: a few of its lines are read as lines, and nothing of it as YAML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from grader.intake.exports.attempt import MOST, Attempt, folder
from grader.intake.exports.container import MAX_METADATA, CohortContainer

METADATA = "submission_metadata.yml"
FOLDER = re.compile(r"submission_\d+")
HEAD = re.compile(r"^(\"?)([\w.-]+)\1:\s*$")
FIELD = re.compile(r"^  (- |  ):(name|sid|email):\s*+(.*)$")
SECTION = re.compile(r"^  :(\w+):\s*+(.*)$")


@dataclass(slots=True)
class _About:
    """What the metadata say of one submission."""

    people: list[dict[str, str]] = field(default_factory=list)
    created: str = ""


def recognise(container: CohortContainer, base: str) -> list[Attempt] | None:
    """Return the submissions of an export; None when `base` is none."""
    if not container.has(base + METADATA):
        return None
    known = _metadata(container.read(base + METADATA, MAX_METADATA) or b"")
    rows = [e for e in container.entries(base) if e.name != METADATA]
    fitting = [e for e in rows if e.is_folder and (e.name in known or FOLDER.fullmatch(e.name))]
    if not fitting or len(fitting) < MOST * len(rows):
        return None
    container.leave_out_others(rows, {e.path for e in fitting})
    rows = fitting
    for name in known.keys() - {e.name for e in rows}:
        container.left_out[f"{name} (in {METADATA}, but not in the export)"] = None
    attempts = []
    for entry in rows:
        about = known.get(entry.name, _About())
        names = [p.get("name") or p.get("email") or p.get("sid", "") for p in about.people]
        who = [p.get("email") or p.get("sid") or p.get("name", "") for p in about.people]
        name = ", ".join(filter(None, names)) or entry.name
        key = " ".join(sorted(filter(None, who))) or entry.name
        attempts.append(Attempt(key, name, folder(entry), (about.created, entry.name)))
    return attempts or None


def _metadata(data: bytes) -> dict[str, _About]:
    """Return by folder who submitted it and when."""
    by_folder: dict[str, _About] = {}
    about, section = _About(), ""
    for line in data.decode("utf-8", "replace").splitlines():
        if head := HEAD.match(line):
            about, section = by_folder.setdefault(head[2], _About()), ""
        elif part := SECTION.match(line):
            section = part[1]
            if section == "created_at":
                about.created = _plain(part[2])
        elif section == "submitters" and (row := FIELD.match(line)):
            if row[1] == "- " or not about.people:
                about.people.append({})
            about.people[-1][row[2]] = _plain(row[3])
    return by_folder


def _plain(text: str) -> str:
    """Return a scalar without its quotes."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.))", _escape, text[1:-1])
    return "" if text in ("~", "null") else text


def _escape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else match[3]
