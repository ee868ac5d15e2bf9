"""YAML as data, with the line of everything: `read_yaml(bytes, caps) -> YamlDocument`.

Plain means dict, list, str, int, float, bool and None. What makes YAML more
than data is refused: anchors and aliases (a bomb needs them), tags, several
documents, keys given twice. Size, depth and number of nodes are capped, so
any bytes end quickly, in data or in one `Unreadable` with every problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

MOST_DIGITS = 24
"""Longer numbers are no quantities; Python refuses to convert very long ones."""

LONGEST_QUOTE = 60
"""Characters of the author's own text that a message repeats."""

YAML_TAG = "tag:yaml.org,2002:"
WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
DECIMAL = re.compile(
    r"^(?:[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,4})?|[-+]?\.(inf|Inf|INF))"
)
NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

Step: TypeAlias = str | int
Path: TypeAlias = tuple[Step, ...]
Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | float | bool | None"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`text` reads "what is wrong; what to write instead"; `line` counts from 1."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Caps:
    """What a file may hold, and in words what a file of its kind `needs` of depth and values."""

    bytes: int
    depth: int
    nodes: int
    needs_depth: str
    needs_nodes: str


class Unreadable(Exception):
    """The file cannot be read on; `problems` say why."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(p.text for p in self.problems))


def quoted(value: object) -> str:
    """Return `value` as a message shows it: short, on one line."""
    match value:
        case None:
            return "empty"
        case dict():
            return "a mapping"
        case list():
            return "a list"
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"


@dataclass(frozen=True, slots=True)
class Lines:
    """Where each value stands: a path such as `("parts", 0, "title")` → its line, from 1."""

    table: Mapping[Path, int]

    def at(self, path: Path) -> int:
        """Return the line of `path`, or of the nearest thing around it that is in the file."""
        for length in range(len(path), -1, -1):
            if (line := self.table.get(path[:length])) is not None:
                return line
        return 1


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A file as far as it could be read; `plain` is only to be trusted without problems."""

    plain: Plain
    lines: Lines
    problems: tuple[Problem, ...]


def read_yaml(data: bytes, caps: Caps) -> YamlDocument:
    """Return the data in `data`, its lines, and the problems after which reading could go on.

    Raises `Unreadable` with all problems, and nothing else whatever the bytes.
    """
    text = _decode(data, caps)
    problems: list[Problem] = []
    try:
        root = _Composer(text, problems, caps).get_single_node()
    except _TooMuchError as stop:
        raise Unreadable([*problems, stop.problem]) from None
    except yaml.YAMLError as error:
        raise Unreadable([*problems, _syntax(error, text)]) from None
    except (ValueError, ArithmeticError, LookupError) as error:
        # PyYAML leaks these from escapes such as "\UFFFFFFFF" and endless version numbers.
        what = f"not readable as YAML ({quoted(str(error))}); look for odd escapes or directives"
        raise Unreadable([*problems, Problem(1, what)]) from None
    build = _Build(problems)
    plain = None if root is None else build.plain(root, ())
    return YamlDocument(plain, Lines(build.table), tuple(problems))


def _decode(data: bytes, caps: Caps) -> str:
    if len(data) > caps.bytes:
        what = f"the file is larger than {caps.bytes // 1024} kB; split it or shorten its texts"
        raise Unreadable([Problem(1, what)])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8 text"
        raise Unreadable([Problem(line, what)]) from None


def _syntax(error: yaml.YAMLError, text: str) -> Problem:
    """Return PyYAML's complaint as one line with a next step."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Problem(line, f"character {quoted(text[error.position])} is not allowed; delete it")
    if isinstance(error, yaml.composer.ComposerError):
        mark = error.problem_mark
        return Problem(mark.line + 1 if mark else 1, "a second document starts; keep only one")
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        complaint = ", ".join(filter(None, (error.context, error.problem)))
        what = f"not valid YAML: {complaint}"
        then = "; check the indentation, colons, quotes and brackets here and just above"
        return Problem(mark.line + 1 if mark else 1, what.replace("\n", " ") + then)
    return Problem(1, "not valid YAML; compare with a bundled rubric")


class _TooMuchError(Exception):
    """Stops the composer in a file too deep or too long to go on with."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


class _Composer(yaml.SafeLoader):
    """PyYAML's composer, stopped at each node that is more than data."""

    def __init__(self, text: str, problems: list[Problem], caps: Caps) -> None:
        super().__init__(text)
        self._problems, self._caps = problems, caps
        self._depth = 0
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        events: Any = self  # PyYAML's own methods carry no types
        event = events.peek_event()
        start: Any = event.start_mark
        line = start.line + 1
        self._nodes += 1
        if self._nodes > self._caps.nodes:
            needs = self._caps.needs_nodes
            what = f"more than {self._caps.nodes} values; {needs}, shorten it"
            raise _TooMuchError(Problem(line, what))
        if self._depth >= self._caps.depth:
            needs = self._caps.needs_depth
            what = f"nested more than {self._caps.depth} levels deep; {needs}, take some away"
            raise _TooMuchError(Problem(line, what))
        if isinstance(event, yaml.AliasEvent):
            events.get_event()
            self._say(line, f"`*{event.anchor}` is an alias; write the value out instead")
            return yaml.ScalarNode(YAML_TAG + "null", "", start, start)
        if event.anchor is not None:
            self._say(line, f"`&{event.anchor}` is an anchor; delete it, and write values out")
            event.anchor = None
        if event.tag is not None:
            tag = quoted(str(event.tag).replace(YAML_TAG, "!!"))
            self._say(line, f"the tag {tag} is not data; delete it and keep the value")
            event.tag = None
            event.implicit = (True, True) if isinstance(event, yaml.ScalarEvent) else True
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _say(self, line: int, text: str) -> None:
        self._problems.append(Problem(line, text))


@dataclass(frozen=True, slots=True)
class _Build:
    """Turns nodes into plain data, noting lines in `table` and faults in `problems`."""

    problems: list[Problem]
    table: dict[Path, int] = field(default_factory=dict)

    def plain(self, node: yaml.Node, path: Path) -> Plain:
        # A key's line is kept for its value: it is where an author looks.
        self.table.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(child, (*path, i)) for i, child in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Plain]:
        mapping: dict[str, Plain] = {}
        for key_node, value in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._say(line, "a key is a list or a mapping; write a plain word as the key")
                continue
            key = str(key_node.value)
            if NOT_TEXT.search(key):
                self._say(line, f"the key {quoted(key)} holds a control character; delete it")
                continue
            if key in mapping:
                first = self.table[(*path, key)]
                self._say(line, f"`{key}` is given twice, first on line {first}; delete one")
                continue
            self.table[(*path, key)] = line
            mapping[key] = self.plain(value, (*path, key))
        return mapping

    def _scalar(self, node: yaml.Node) -> Plain:
        text, line = str(node.value), node.start_mark.line + 1
        match str(node.tag).rpartition(":")[2]:
            case "null":
                return None
            case "bool":
                return text.lower() in ("yes", "true", "on")
            case "int" | "float":
                return self._number(text, line)
        if NOT_TEXT.search(text):
            self._say(line, f"{quoted(text)} holds a control character; delete it")
        return text

    def _number(self, text: str, line: int) -> int | float:
        """Return a number as everybody reads it: YAML 1.1 would take 010 for 8 and 1:30 for 90."""
        if len(text) <= MOST_DIGITS:
            if WHOLE.fullmatch(text):
                return int(text)
            if text.lower() == ".nan":
                return float("nan")
            if DECIMAL.fullmatch(text):
                return float(text.lower().replace(".inf", "inf"))
        what = f"{quoted(text)} is no plain number; write it in decimal, such as 4 or 2.5"
        self._say(line, f"{what}, or in quotes if it is text")
        return 0

    def _say(self, line: int, text: str) -> None:
        self.problems.append(Problem(line, text))
