"""Load a `Rubric` from a file, or raise one `RubricError` with every problem and its line."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from grader.rubric.calls import contract_problems
from grader.rubric.consistency import cross_check
from grader.rubric.contract import Contract
from grader.rubric.model import ContractFile, Rubric, RubricFile
from grader.rubric.problems import refusal
from grader.rubric.wording import sentence
from grader.yaml_data import Caps, Lines, Plain, Problem, Unreadable, YamlDocument, read_yaml

CAPS = Caps(256 * 1024, 16, 5000, "a rubric needs 8", "a rubric needs a few hundred")
"""Our longest rubric has 16 kB, 8 levels and 730 values; PyYAML reads about 100 kB a second,
and composes recursively."""

Form = TypeVar("Form", bound=BaseModel)
Problems: TypeAlias = Callable[[Plain, Lines], Iterable[Problem]]


def load_rubric(
    path: Path, known_checks: Collection[str], known_codes: Collection[str] | None = None
) -> Rubric:
    """Return the rubric in the file at `path`; `known_checks` are the ids it may name.

    `known_codes` are the defect codes it may name; None leaves them unexamined.
    Raises RubricError when the file cannot be read or holds any problem.
    """
    return parse_rubric(_bytes_of(path), str(path), known_checks, known_codes)


def load_contract(path: Path) -> Contract:
    """Return the contract in the file at `path`, which holds `contract:` as a rubric does.

    Raises RubricError when the file cannot be read or holds any problem.
    """
    return parse_contract(_bytes_of(path), str(path))


def _bytes_of(path: Path) -> bytes:
    instead = "give the path of a YAML file, such as rubrics/onsite.yaml"
    try:
        if not path.is_file():
            raise refusal(str(path), [Problem(1, f"no such file; {instead}")])
        with path.open("rb") as file:
            return file.read(CAPS.bytes + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise refusal(str(path), [Problem(1, f"cannot be read ({why}); {instead}")]) from None


def parse_rubric(
    text_bytes: bytes,
    name: str,
    known_checks: Collection[str],
    known_codes: Collection[str] | None = None,
) -> Rubric:
    """Return the rubric in `text_bytes`; `name` stands for the file in the messages.

    Raises RubricError with all problems at once, and nothing else whatever the bytes.
    """
    known = frozenset(known_checks)

    def problems(plain: Plain, lines: Lines) -> list[Problem]:
        return cross_check(plain, lines, known, known_codes)

    form = _parse(text_bytes, name, RubricFile, problems, first_line="rubric: 1")
    stated = {key: value for key, value in form if key != "rubric"}
    digest = "sha256:" + hashlib.sha256(text_bytes).hexdigest()
    return Rubric(**stated, digest=digest, text=text_bytes)


def parse_contract(text_bytes: bytes, name: str) -> Contract:
    """Return the contract in `text_bytes`; `name` stands for the file in the messages.

    Raises RubricError with all problems at once, and nothing else whatever the bytes.
    """
    form = _parse(text_bytes, name, ContractFile, lambda *_: (), first_line="contract:")
    return form.contract


def _parse(
    text_bytes: bytes, name: str, form: type[Form], more: Problems, *, first_line: str
) -> Form:
    """Return the file as `form`; `more` finds the problems between its values."""
    reading = _read(text_bytes, name)
    plain, lines = reading.plain, reading.lines
    if plain is None and not reading.problems:
        raise refusal(name, [Problem(1, f"the file is empty; begin with `{first_line}`")])
    # Where the YAML itself is at fault the value is a stand-in: one complaint is enough.
    faulty = {problem.line for problem in reading.problems}
    valid, of_form = _validate(plain, lines, form)
    later = [*of_form, *more(plain, lines), *_of_contract(plain, lines)]
    problems = [*reading.problems, *(p for p in later if p.line not in faulty)]
    if valid is None or problems:
        raise refusal(name, problems)
    return valid


def holds_contract_alone(path: Path) -> bool:
    """Return whether a file holds `contract:` and no `rubric:` at its top.

    Raises RubricError when the file cannot be read.
    """
    plain = _read(_bytes_of(path), str(path)).plain
    return isinstance(plain, dict) and "contract" in plain and "rubric" not in plain


def rubric_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a rubric file, for editors."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return dialect | RubricFile.model_json_schema()


def _read(data: bytes, name: str) -> YamlDocument:
    """Return the data with the problems after which reading could go on, or raise RubricError."""
    try:
        return read_yaml(data, CAPS)
    except Unreadable as error:
        raise refusal(name, error.problems) from None


def _validate(plain: Plain, lines: Lines, form: type[Form]) -> tuple[Form | None, list[Problem]]:
    try:
        return form.model_validate(plain), []
    except ValidationError as error:
        # pydantic calls a list too short when its entries are wrong: only empty ones are.
        details = [
            each
            for each in error.errors(include_url=False)
            if not (each["type"] == "too_short" and each["input"])
        ]
        return None, [Problem(lines.at(each["loc"]), sentence(each, form)) for each in details]


def _of_contract(plain: Plain, lines: Lines) -> Iterator[Problem]:
    """Yield the problems of the lines in `contract`, whatever surrounds them."""
    contract = plain.get("contract") if isinstance(plain, dict) else None
    for path, text in contract_problems(contract):
        yield Problem(lines.at(("contract", *path)), text)
