"""`submission.yaml`: a name, and what the candidate calls the contract's functions. Data only.

Optional, and never a reason to lose anything: what cannot be used is left out,
and a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from grader.records import SourceFile
from grader.records.submission import CONTRACT_FUNCTIONS, OPTIONAL_NAMES

FILES = ("submission.yaml", "submission.yml")
NAMES = (*CONTRACT_FUNCTIONS, *OPTIONAL_NAMES)
"""The contract's names, which `names` may map."""

MOST_BYTES = 16 * 1024
MOST_NAME = 200
MOST_NOTES = 10


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the file says; `notes` are sentences about what of it is not used."""

    name: str = ""
    names: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def is_settings(file: SourceFile) -> bool:
    """Return whether this is the file, at the top of the submission."""
    return file.path.lower() in FILES


def settings_of(files: Sequence[SourceFile]) -> Wishes:
    """Return what `submission.yaml` says; nothing where there is none. Never raises."""
    file = next((f for f in files if is_settings(f)), None)
    return Wishes() if file is None else read_settings(file.data, PurePosixPath(file.path).name)


def read_settings(data: bytes, file: str) -> Wishes:
    """Return what the bytes of the file say. Never raises."""
    from grader.yaml_data import Caps, Unreadable, read_yaml  # PyYAML, for the few that have one

    caps = Caps(MOST_BYTES, 4, 200, "two levels are enough", "a dozen is enough")
    try:
        reading = read_yaml(data, caps)
        problems, plain = reading.problems, reading.plain
    except Unreadable as error:
        problems, plain = error.problems, None
    notes = [f"{file}, line {p.line}: {p.text}." for p in problems]
    if problems:
        return Wishes(notes=(f"{file} is not used.", *notes[: MOST_NOTES - 1]))
    if plain is None:
        return Wishes()
    if not isinstance(plain, dict):
        return Wishes(notes=(f"{file} is not used: it is no mapping with `name` and `names`.",))
    notes = [f"{file}: `{k}` is not used; known are `name` and `names`."
             for k in plain if k not in ("name", "names")]  # fmt: skip
    name = plain.get("name")
    if name is not None and (not isinstance(name, str) or not 0 < len(name) <= MOST_NAME):
        notes.append(f"{file}: `name` is not used; it is no text of up to {MOST_NAME} characters.")
        name = None
    names, more = _names(plain.get("names"), file)
    return Wishes(name.strip() if name else "", names, tuple([*notes, *more][:MOST_NOTES]))


def _names(value: object, file: str) -> tuple[dict[str, str], list[str]]:
    """Return the usable entries of `names`, and notes about the others."""
    if value is None:
        return {}, []
    if not isinstance(value, dict):
        return {}, [f"{file}: `names` is not used; write one `forward: my_forward` a line."]
    names, notes = {}, []
    for key, name in value.items():
        if key not in NAMES:
            notes.append(f"{file}: `names` has `{key}`; known are {', '.join(NAMES)}.")
        elif not isinstance(name, str) or not _is_name(name):
            notes.append(f"{file}: what `{key}` is called is no name in Python.")
        else:
            names[key] = name
    return names, notes


def _is_name(text: str) -> bool:
    """Return `my_forward`, or with a class before it `Network.forward`."""
    words = text.split(".")
    return len(text) <= MOST_NAME and len(words) <= 3 and all(
        word.isidentifier() and not word.startswith("__") for word in words
    )  # fmt: skip
