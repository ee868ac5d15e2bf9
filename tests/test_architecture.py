"""The rules of the house, held by a machine.

A rule that the house does not obey yet has a ratchet: `at_most` states how often it is broken
today. The number may only go down; whoever repairs an offence lowers it in the same commit.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import grimp
import networkx
import pytest

from grader.checks import ALL_CHECKS
from grader.defects import KINDS
from tests.conftest import SLOW

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "grader"

MOST_FLOORS = 6
DEEPER = {
    "grader.diagnosis": 7,
    "grader.sandbox": 7,
}
"""Folders with more than `MOST_FLOORS` floors, and how many they have: a list that shrinks."""

CIRCLES = 1
"""Groups of modules that import each other, counting imports inside functions."""

RIDDLES = frozenset(
    [
        "seen",
        "given",
        "found",
        "kept",
        "sent",
        "said",
        "worth",
        "wants",
        "looks",
        "everything",
        "own",
    ]
)
NO_VERB = frozenset(
    [
        "The",
        "A",
        "An",
        "What",
        "How",
        "Whether",
        "One",
        "All",
        "Every",
        "Where",
        "Which",
        "Who",
        "No",
        "Each",
        "It",
        "This",
        "These",
        "Those",
    ]
)
PROSE = frozenset(["message", "observed", "error", "text", "variant", "hint", "words"])
"""Attributes that hold sentences; a decision rests on none of them."""
ASKS = frozenset(
    ["startswith", "endswith", "find", "index", "count", "removeprefix", "removesuffix"]
)


@cache
def trees() -> dict[Path, ast.Module]:
    """Return the syntax tree of each file of the house, without the starter for candidates."""
    files = (path for path in sorted(HOUSE.rglob("*.py")) if "starter" not in path.parts)
    return {path.relative_to(ROOT): ast.parse(path.read_bytes()) for path in files}


@cache
def imports() -> networkx.DiGraph[str]:
    """Return the graph of the house's modules: an arrow goes from who imports to the imported."""
    found = grimp.build_graph("grader", cache_dir=None)
    graph: networkx.DiGraph[str] = networkx.DiGraph()
    graph.add_nodes_from(found.modules)
    for module in found.modules:
        for imported in found.find_modules_directly_imported_by(module):
            graph.add_edge(module, imported)
    return graph


def circles(graph: networkx.DiGraph[str]) -> list[list[str]]:
    """Return the groups of modules that reach each other by imports."""
    groups = networkx.strongly_connected_components(graph)
    return sorted(sorted(group) for group in groups if len(group) > 1)


def floors(graph: networkx.DiGraph[str], folder: str) -> list[str]:
    """Return the longest chain of imports among the modules that stand directly in a folder.

    Each module of the chain imports the next one, so its length is the number of floors. Modules
    that import each other share one floor.
    """
    inside = [module for module in graph if module.rpartition(".")[0] == folder]
    inside = [module for module in inside if not (ROOT / module.replace(".", "/")).is_dir()]
    groups = networkx.condensation(graph.subgraph(inside))
    chain = networkx.dag_longest_path(groups)
    return [" = ".join(sorted(groups.nodes[group]["members"])) for group in chain]


def folders() -> list[str]:
    """Return the dotted name of each folder of the house."""
    files = (path.relative_to(ROOT) for path in HOUSE.rglob("*.py") if "starter" not in path.parts)
    return sorted({".".join(path.parent.parts) for path in files})


def hold(offences: Iterable[str], at_most: int = 0) -> None:
    """Fail where a rule is broken more often than `at_most` times."""
    broken = sorted(offences)
    shown = "\n  ".join(broken)
    assert len(broken) <= at_most, f"{len(broken)} times, at most {at_most}:\n  {shown}"


# ── modules ──────────────────────────────────────────────────────────────────


def test_modules_import_each_other_in_no_circle() -> None:
    hold((" = ".join(circle) for circle in circles(imports())), at_most=CIRCLES)


@pytest.mark.parametrize("folder", folders())
def test_a_folder_has_few_floors(folder: str) -> None:
    chain = floors(imports(), folder)
    assert len(chain) <= DEEPER.get(folder, MOST_FLOORS), " → ".join(chain)


def test_the_list_of_deep_folders_shrinks() -> None:
    rooms = {folder: len(floors(imports(), folder)) for folder in folders()}
    assert {folder for folder in DEEPER if rooms.get(folder, 0) <= MOST_FLOORS} == set()


def test_modules_are_named_by_nouns() -> None:
    hold(str(path) for path in trees() if path.stem.strip("_") in RIDDLES)


def test_a_module_of_the_core_has_a_test_of_its_name() -> None:
    """The tests of `checks`, `defects` and `diagnosis` mirror the source."""
    hold(
        str(path)
        for path in trees()
        if path.parts[1] in ("checks", "defects", "diagnosis") and path.stem != "__init__"
        if not list((ROOT / "tests" / path.parts[1]).rglob(f"test_{path.stem.strip('_')}.py"))
    )


def test_each_beginning_of_a_slow_test_is_one() -> None:
    def is_there(beginning: str) -> bool:
        file, _, name = beginning.partition("::")
        place = ROOT / file
        return place.is_dir() or (place.is_file() and f"def {name}" in place.read_text("utf-8"))

    hold(beginning for beginning in SLOW if not is_there(beginning))


# ── names and words ──────────────────────────────────────────────────────────


def classes() -> dict[str, list[str]]:
    """Return the files that define each class, by its name."""
    found = defaultdict(list)
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(str(path))
    return dict(found)


def test_a_class_name_occurs_once() -> None:
    """`Part` is a part of a submission, and in the published schema of rubrics a part of those."""
    repeated = {name: files for name, files in classes().items() if len(files) > 1}
    repeated.pop("Part")
    hold(f"{name}: {', '.join(files)}" for name, files in repeated.items())


def documented() -> Iterator[tuple[str, str]]:
    """Yield (place, docstring) of each public function and method; a check's is shown to users."""
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
                if any(ast.unparse(made).startswith("check(") for made in node.decorator_list):
                    continue
                text = ast.get_docstring(node)
                if text:
                    yield f"{path}:{node.lineno} {node.name}: {text.splitlines()[0]}", text


def test_docstrings_begin_with_a_verb() -> None:
    hold((place for place, text in documented() if text.split()[0] in NO_VERB), at_most=0)


# ── facts at home ────────────────────────────────────────────────────────────


def literals(words: frozenset[str], home: str) -> Iterator[str]:
    """Yield each string literal outside of `home` that is one of `words`."""
    for path, tree in trees().items():
        if path.parts[1] != home:
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and node.value in words:
                    yield f"{path}:{node.lineno} {node.value}"


SCHEMA = "grader/rubric/model.py"
"""Its examples are documentation: `grader rubric schema` shows them to whoever writes a rubric."""


def test_a_code_is_written_in_defects_alone() -> None:
    """How a call ended has words of its own (`records.Ended`), which some codes share."""
    codes = frozenset(kind.code for kind in KINDS if kind.ending is None)
    hold(one for one in literals(codes, "defects") if not one.startswith(SCHEMA))


def inside_functions(room: str) -> Iterator[tuple[Path, ast.AST]]:
    """Yield each node inside a function of a room."""
    for path, tree in trees().items():
        if path.parts[1] == room:
            functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
            yield from ((path, node) for function in functions for node in ast.walk(function))


def test_a_check_is_written_in_checks_alone() -> None:
    """And in `defects` where a kind is declared: what it reaches, and the checks of its signs."""
    ids = frozenset(check.id for check in ALL_CHECKS)
    outside = (one for one in literals(ids, "checks") if not one.startswith(SCHEMA))
    declared = (Path("grader") / "defects",)
    hold(one for one in outside if Path(one).parent not in declared)
    hold(
        f"{path} {node.value}"
        for path, node in inside_functions("defects")
        if isinstance(node, ast.Constant) and node.value in ids
    )


def prose(node: ast.expr) -> bool:
    """Tell whether an expression is an attribute that holds a sentence."""
    return isinstance(node, ast.Attribute) and node.attr in PROSE


def decisions(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield each expression that asks what words a sentence holds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for test, other in zip(node.ops, node.comparators, strict=True):
                if isinstance(test, ast.In | ast.NotIn) and prose(other):
                    yield node
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ASKS
            and prose(node.func.value)
        ):
            yield node


def test_no_decision_rests_on_the_words_of_a_sentence() -> None:
    hold(
        (
            f"{path}:{node.lineno} {ast.unparse(node)}"
            for path, tree in trees().items()
            for node in decisions(tree)
        ),
        at_most=0,
    )


def states(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module changes while it runs: `global`, or an empty container."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield from node.names
    for node in tree.body:
        value = getattr(node, "value", None)
        if isinstance(node, ast.AnnAssign | ast.Assign) and (
            (isinstance(value, ast.Dict) and not value.keys)
            or (isinstance(value, ast.List | ast.Set) and not value.elts)
            or (isinstance(value, ast.Call) and not (value.args or value.keywords)
                and ast.unparse(value.func) in ("dict", "list", "set", "defaultdict"))
        ):  # fmt: skip
            yield ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)


def test_no_module_keeps_state() -> None:
    hold((f"{path} {name}" for path, tree in trees().items() for name in states(tree)))


# ── the rules themselves ─────────────────────────────────────────────────────


def test_a_circle_and_its_floor_are_found() -> None:
    edges = [("grader.a", "grader.b"), ("grader.b", "grader.c"), ("grader.c", "grader.b")]
    graph: networkx.DiGraph[str] = networkx.DiGraph(edges)
    assert circles(graph) == [["grader.b", "grader.c"]]
    assert floors(graph, "grader") == ["grader.a", "grader.b = grader.c"]


@pytest.mark.parametrize(
    "source", ["'not finite' in found.observed", "defect.message.startswith('PyTorch part')"]
)
def test_a_decision_on_words_is_found(source: str) -> None:
    assert [ast.unparse(node) for node in decisions(ast.parse(source))] == [source]


@pytest.mark.parametrize("source", ["KEPT = {}", "def f():\n    global KEPT", "KEPT: list = []"])
def test_state_is_found(source: str) -> None:
    assert list(states(ast.parse(source))) == ["KEPT"]


def test_the_ratchet_holds() -> None:
    hold(["a"], at_most=1)
    with pytest.raises(AssertionError, match=r"2 times, at most 1:\s+a\s+b"):
        hold(["b", "a"], at_most=1)
