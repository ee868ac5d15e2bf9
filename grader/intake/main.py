"""The file of a submission that is imported, chosen by what the files define.

Only text is looked at, by expressions that take linear time: parsing a stranger's
source is for the sandbox. A wrong guess here costs clarity, not points, as long
as all definitions stay in reach.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from keyword import iskeyword
from pathlib import PurePosixPath

from grader.limits import JOINED_NAMES, NAME_CHARACTERS, NAMES
from grader.records import SourceFile
from grader.records.submission import CONTRACT_FUNCTIONS

ROLES = ("forward", "backward", "torch", "verify")
JOINED = "all_parts.py"
UPDATE = "globals().update({n: v for n, v in vars(_part).items() if n[:1] != '_'})"

HEAD = re.compile(r"^[ \t]*+(?:async|def|class|from|import)\b.*", re.MULTILINE)
"""A line at which any of the others but `USES_AUTOGRAD` may begin."""

DEFINED = re.compile(r"^(?:async )?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
NAMED = re.compile(r"^[ \t]*(?:async )?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
IMPORTED = re.compile(
    r"^[ \t]*(from|import)[ \t]+\.*([\w.]*)(?:[ \t]+import[ \t]+(.*))?", re.MULTILINE
)
WORD = re.compile(r"[\w*]+")
USES_TORCH = re.compile(r"^[ \t]*(?:import|from)[ \t]+torch\b", re.MULTILINE)
USES_AUTOGRAD = re.compile(
    r"requires_grad|autograd\.(?:grad|functional)|func\.grad|nn\.(?:Module|Linear|Parameter)"
)
FORWARD = re.compile(
    r"forward|fwd|feed_?f|predict|logits|(?:^|_)loss(?:_|$)|cross_?entropy", re.IGNORECASE
)
BACKWARD = re.compile(r"backward|back_?prop|bwd|grad", re.IGNORECASE)
VERIFY = re.compile(
    r"verif|check|compar|valid|agree|match|allclose|(?:^|_)test(?:_|$)|assert", re.IGNORECASE
)
NUMERIC = re.compile(r"numer|finite|(?:^|_)fd(?:_|$)", re.IGNORECASE)
TORCH = re.compile(r"torch|autograd", re.IGNORECASE)
HELPS = re.compile(
    r"relu|softmax|cross_?entropy|one_?hot|linear|layer|mlp|net(?:work)?$|model", re.IGNORECASE
)
ASIDE = re.compile(
    r"^(?:test_.*|.*_tests?|conftest|setup|plot.*|visuali[sz].*|.*_?plots?|data(?:set|loader)?s?|"
    r"load_.*|download.*|config|settings|make_.*|generate_.*|bench.*|time_.*|profile.*|demo.*|"
    r"__init__)",
    re.I,
)
"""Stems of files that stand beside an answer."""

ASIDE_FOLDERS = frozenset(
    {"tests", "test", "data", "docs", "plots", "scripts", "examples", "notes"}
)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file's text says about it.

    `roles` are those that its functions have by their names, `methods` those that only
    its methods have: a layer's `forward` need not be the network's. `takes` are the
    names that it imports, by module.
    """

    path: str
    roles: frozenset[str]
    methods: frozenset[str]
    contract: int
    helps: int
    names: tuple[str, ...]
    takes: Mapping[str, frozenset[str]]
    aside: bool


def file_facts(file: SourceFile) -> FileFacts:
    """Read one file's text."""
    text = _heads(file.data.decode("utf-8", "replace"))
    names = tuple(islice(_known(DEFINED, text), NAMES))
    every = tuple(islice(_known(NAMED, text), NAMES))
    path = PurePosixPath(file.path)
    aside = bool(ASIDE.fullmatch(path.stem)) or bool(ASIDE_FOLDERS & set(path.parts[:-1]))
    return FileFacts(
        file.path,
        frozenset(_roles(text, names)),
        frozenset(_roles(text, every)),
        sum(bool(re.search(rf"^def {n}\b", text, re.MULTILINE)) for n in CONTRACT_FUNCTIONS),
        sum(bool(HELPS.search(name)) for name in every),
        names,
        _takes(text),
        aside,
    )


def _heads(text: str) -> str:
    """Return of a file the lines that say what it defines and imports, and what else counts."""
    engine = USES_AUTOGRAD.search(text)
    return "\n".join([*HEAD.findall(text), f"# {engine[0]}" if engine else ""])


def _known(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """Yield the names that a pattern finds, each once."""
    seen = set[str]()
    for found in pattern.finditer(text):
        if (name := found[1][:NAME_CHARACTERS]) not in seen:
            seen.add(name)
            yield name


def _roles(text: str, names: Sequence[str]) -> set[str]:
    """Return what of the problem's four parts is defined under `names`."""
    roles = set()
    torch_only = bool(USES_TORCH.search(text) and USES_AUTOGRAD.search(text))
    for name in names:
        if VERIFY.search(name):
            roles.add("verify")
        elif TORCH.search(name):
            roles.add("torch")
        elif NUMERIC.search(name):
            continue
        elif BACKWARD.search(name):
            roles.add("backward")
            if FORWARD.search(name):
                roles.add("forward")
        elif FORWARD.search(name):
            roles.add("forward")
    if torch_only and names:
        roles.add("torch")
        if "backward" not in roles:
            roles.discard("forward")  # the forward of a `torch.nn.Module`
    return roles


def _takes(text: str) -> dict[str, frozenset[str]]:
    """Return the names that each `from … import` brings in, `*` for all; none for `import`."""
    takes: dict[str, set[str]] = {}
    room = NAMES
    for found in IMPORTED.finditer(text):
        how, module, names_text = found[1], found[2], found[3] or ""
        words = WORD.findall(names_text.partition("#")[0])[:room] if how == "from" else []
        goes_on = names_text.lstrip().startswith("(") and ")" not in names_text
        takes.setdefault(module[:NAME_CHARACTERS], set()).update({"*"} if goes_on else words)
        room -= 1 + len(words)
        if room <= 0:
            break
    return {module: frozenset(names) for module, names in takes.items()}


@dataclass(frozen=True, slots=True)
class MainFile:
    """The file to import; `parts` are those it must be joined with, the most important last."""

    path: str
    parts: tuple[str, ...] = ()


def choose(files: Sequence[SourceFile]) -> MainFile:
    """Return the main file, and the others whose definitions it does not bring along."""
    known = [file_facts(f) for f in files if f.path.endswith(".py")]
    if not known:
        return MainFile("")
    by_module = {_module(e.path): e for e in known}
    reach = {e.path: _reach(e, by_module) for e in known}
    imported = {_neighbour(e, m, by_module) for e in known for m in e.takes}

    def rank(e: FileFacts) -> tuple[object, ...]:
        path = PurePosixPath(e.path)
        exact = path.name == "solution.py" and e.contract > 0
        whole = reach[e.path].functions | reach[e.path].methods
        brings = any(_neighbour(e, module, by_module) for module in e.takes)
        entry = e.path not in imported and (brings or bool(whole - e.methods))
        return (
            not exact, not e.roles | e.methods, e.aside,
            len(reach[e.path].functions) < len(ROLES), -e.contract, -len(whole), not entry,
            -e.helps, len(path.parts), e.path,
        )  # fmt: skip

    best, *others = sorted(known, key=rank)
    if best.contract == len(CONTRACT_FUNCTIONS):
        return MainFile(best.path)
    parts = _missing_parts(best, others, reach)
    parts += [e for e in _brought_together(best, known, imported, by_module) if e not in parts]
    return MainFile(best.path, tuple(e.path for e in _by_weight([best, *parts])) if parts else ())


@dataclass(frozen=True, slots=True)
class Reach:
    """The roles that stand under plain names in a file: its own and those it imports by name."""

    functions: frozenset[str]
    methods: frozenset[str]


def _missing_parts(
    best: FileFacts, others: Sequence[FileFacts], reach: Mapping[str, Reach]
) -> list[FileFacts]:
    """Return the files with what `best` lacks; files that stand aside only as a last resort."""
    parts = []
    functions, methods = reach[best.path].functions, reach[best.path].methods
    for e in sorted(others, key=lambda e: e.aside):
        if e.roles - functions or e.methods - functions - methods:
            parts.append(e)
            functions |= reach[e.path].functions
            methods |= reach[e.path].methods
    return parts


def _brought_together(
    best: FileFacts,
    known: Sequence[FileFacts],
    imported: Container[str],
    by_module: Mapping[str, FileFacts],
) -> list[FileFacts]:
    """Return the other files of classes that a script imports together with `best`.

    Layers, losses and the network that chains them stand in a file each, and the script defines
    nothing itself.
    """
    for script in known:
        if script.path in imported or script.roles | script.methods:
            continue
        paths = {_neighbour(script, module, by_module) for module in script.takes}
        if best.path in paths:
            return [e for e in known if e.path in paths and e.methods and e is not best]
    return []


def _by_weight(parts: Sequence[FileFacts]) -> list[FileFacts]:
    """Return PyTorch's part first, the NumPy part last, for of equal names the last one stays."""

    def weight(e: FileFacts) -> tuple[object, ...]:
        return "backward" in e.roles, "torch" not in e.methods, "backward" in e.methods, e.path

    return sorted(parts, key=weight)


def _reach(e: FileFacts, by_module: Mapping[str, FileFacts]) -> Reach:
    functions, methods = set(e.roles), set(e.methods)
    for module, names in e.takes.items():
        path = _neighbour(e, module, by_module)
        other = by_module.get(_module(path)) if path else None
        if other is None or other is e:
            continue
        if "*" in names:
            functions |= other.roles
        elif "torch" in other.roles and "backward" not in other.roles:
            functions |= {"torch"} if _roles("", sorted(names & set(other.names))) else set()
        else:
            functions |= _roles("", sorted(names & set(other.names)))
        if "*" in names or names & set(other.names):
            methods |= other.roles | other.methods
    return Reach(frozenset(functions), frozenset(methods))


def _neighbour(e: FileFacts, module: str, by_module: Mapping[str, FileFacts]) -> str:
    """Return the path of the submission's file that `e` means by `module`; "" for none."""
    folder = e.path.rpartition("/")[0].replace("/", ".")
    for name in (f"{folder}.{module}" if folder else module, module):
        if name in by_module:
            return by_module[name].path
    return ""


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def join_parts(parts: Sequence[str], files: Sequence[SourceFile]) -> SourceFile:
    """Return a module that has the names of all `parts`, of equal names the last part's.

    It stands beside the last part, so that all keep the neighbours they import.
    """
    folder = parts[-1].rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    paths, name = {f.path for f in files}, JOINED
    while prefix + name in paths:
        name = f"_{name}"
    rows = [
        "# Written by the grader: this answer comes in several files; here are all their names."
    ]
    known = {f.path: file_facts(f).names for f in files if f.path in parts}
    last = set(known[parts[-1]])
    clashes = {n for p in parts[:-1] for n in known[p] if n in last}
    for path in parts:
        module = _module(path.removeprefix(prefix) if path.startswith(prefix) else path)
        if all(word.isidentifier() and not iskeyword(word) for word in module.split(".")):
            rows.append(f"from {module} import *")
            if path != parts[-1]:
                of = f"of_{module.replace('.', '_')}"
                shared = sorted(clashes & set(known[path]))[:JOINED_NAMES]
                rows += [f"from {module} import {word} as {word}_{of}" for word in shared]
        else:
            rows += [f"_part = __import__('importlib').import_module({module!r})", UPDATE]
    return SourceFile(prefix + name, ("\n".join(rows) + "\n").encode("utf-8", "backslashreplace"))
