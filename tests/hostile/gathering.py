"""The hostile fixtures as submissions: all of them for a cohort, and their routes one by one."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
FIXTURES = HERE / "fixtures"
SAMPLES = HERE.parents[1] / "submissions"
ATTACKS = tuple(sorted(path.parent.name for path in FIXTURES.glob("*/attack.yaml")))
TWINS = ("right", "slow", "wrong", "zero-gradients")
HONEST = 20
STATUSES = (1, 2, 70, 75, 77, 126, 134, 137, 159, 255)
"""Exit statuses that a harness may take for its own, beside the one in the fixture (A48)."""
AGAIN = "again"
AT_ONCE = {"CHUNK": 2 << 30}
"""A first piece beyond the limit (A25): touching all may outlast a short deadline."""


@dataclass(frozen=True)
class Entry:
    """One submission: the attack it comes from, and what it does alone or differently."""

    path: Path
    attack: str
    variant: str = ""


def facts(attack: str) -> dict[str, Any]:
    """What the fixture's `attack.yaml` says."""
    text = (FIXTURES / attack / "attack.yaml").read_text(encoding="utf-8")
    said: dict[str, Any] = yaml.safe_load(text)
    return said


def joined(attack: str) -> bytes:
    """Return the source of a submission: the attack, joined with the answer it rests on."""
    source: bytes = _naive().joined(FIXTURES / attack)
    return source


def twin(attack: str) -> str:
    """The name of the honest twin."""
    return Path(facts(attack)["honest_twin"]).name


def hostile(cohort: Path, scratch: Path, knobs: dict[str, Any]) -> list[Entry]:
    """All fixtures under `cohort`, those with frames or statuses once more for each."""
    entries = []
    for attack in ATTACKS:
        if (FIXTURES / attack / "build.py").exists():
            entries.append(Entry(_built(attack, cohort, scratch), attack))
        else:
            entries += [_written(attack, cohort, *variant, knobs) for variant in _variants(attack)]
    return entries


def honest(cohort: Path) -> list[str]:
    """Twenty and the slow one: the twins, and right samples under many names."""
    names = [f"twin-{name}" for name in TWINS]
    for name in TWINS:
        shutil.copytree(FIXTURES / "honest" / name, cohort / f"twin-{name}", ignore=_CACHES)
    right = [path for path in sorted(SAMPLES.iterdir()) if _is_right(path)]
    for number in range(HONEST + 1 - len(names)):
        sample = right[number % len(right)]
        name = sample.name + "-again" * (number // len(right))
        shutil.copytree(sample, cohort / name, ignore=_CACHES)
        names.append(name)
    return names


def routes(attack: str) -> tuple[str, ...]:
    """The routes that can be tried alone."""
    return () if attack == "a40-cookie" else tuple(facts(attack).get("routes", ()))


def one_route(attack: str, route: str, folder: Path, knobs: dict[str, Any]) -> Path:
    """The attack with this route alone, as a submission under `folder`."""
    return _written(attack, folder, route, {"ONLY": route}, knobs).path


_CACHES = shutil.ignore_patterns("__pycache__")


def _is_right(sample: Path) -> bool:
    expected = sample / "expected.yaml"
    if not expected.is_file():
        return False
    facts = yaml.safe_load(expected.read_text())
    return facts["fails"] == [] and "corrected" not in facts


def _variants(attack: str) -> list[tuple[str, dict[str, Any]]]:
    """Names of the variants, the whole attack first, and the constants that make them."""
    found: list[tuple[str, dict[str, Any]]] = [("", {})]
    found += [(f"frame-{n}", {"ONLY": n}) for n in range(facts(attack).get("frames", 0))]
    if attack == "a48-exit-status":
        found += [(f"status-{n}", {"STATUS": n}) for n in STATUSES]
    if attack == "a25-memory-bomb":
        found.append(("at-once", AT_ONCE))
    if attack == "a32-message":  # what a first run leaves, a second one finds
        found.append((AGAIN, {}))
    return found


def _written(
    attack: str, cohort: Path, variant: str, constants: dict[str, Any], knobs: dict[str, Any]
) -> Entry:
    naive = _naive()
    source = joined(attack)
    for name in constants:
        if not re.search(rf"^{name} = ".encode(), source, re.M):
            raise LookupError(f"{attack} has no constant {name}")
    folder = cohort / (f"{attack}--{variant}" if variant else attack)
    folder.mkdir()
    text = naive.with_constants(source, **{**knobs, **constants})
    (folder / "solution.py").write_bytes(text)
    return Entry(folder, attack, variant)


def load_build(attack: str) -> Any:
    """The fixture's `build.py` as a module, its constants free to be changed."""
    return _naive().load_file(FIXTURES / attack / "build.py", "hostile_build")


def _built(attack: str, cohort: Path, scratch: Path) -> Path:
    """What `build.py` makes, moved into the cohort; what lies beside it stays behind."""
    module = load_build(attack)
    target = scratch / attack
    target.mkdir()
    made = Path(module.build(target))
    goal = cohort / made.name
    os.rename(os.fsencode(made), os.fsencode(goal))
    return goal


def _naive() -> Any:
    """The fixtures' own module; it can only be imported from where it stands."""
    sys.path.insert(0, str(FIXTURES))
    try:
        import naive
    finally:
        sys.path.remove(str(FIXTURES))
    return naive
