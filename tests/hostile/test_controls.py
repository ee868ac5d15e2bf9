"""Every attack must work where nothing stops it, or its failure elsewhere proves nothing.

Each `control.py` runs the attack against a naive grader in a process of its own, and
runs the attack's honest twin the same way: the first must succeed, the second must not.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hostile import gathering

FIXTURES = Path(__file__).parent / "fixtures"
ATTACKS = tuple(sorted(path.parent for path in FIXTURES.glob("*/attack.yaml")))
CATALOGUE = tuple(f"A{number}" for number in range(1, 49))
SECONDS = 60.0
REQUIRED = ("id", "title", "what", "must", "base", "honest_twin", "allowed_defects", "gain")
OPTIONAL = ("answer", "control", "routes", "frames", "must_find", "must_not_pass", "must_fail")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the attacks are written for Linux")
every_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda path: path.name)


def facts(attack: Path) -> dict[str, Any]:
    """What `attack.yaml` says."""
    return yaml.safe_load((attack / "attack.yaml").read_text(encoding="utf-8"))


def run_control(attack: Path, solution: Path, work: Path) -> tuple[int, str]:
    """Exit status and last line of the attack's control, applied to `solution`."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, str(attack / "control.py"), str(solution), str(work)],
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
    )
    lines = run.stdout.decode("utf-8", "replace").splitlines() or [""]
    print(*lines[-20:], run.stderr.decode("utf-8", "replace")[-2000:], sep="\n")
    return run.returncode, lines[-1]


@every_attack
def test_the_attack_works_where_nothing_stops_it(attack: Path, tmp_path: Path) -> None:
    status, last = run_control(attack, attack, tmp_path)
    assert last.startswith("CONTROL SUCCEEDED: ")
    assert status == 0


@every_attack
def test_the_control_does_not_call_an_honest_submission_an_attack(
    attack: Path, tmp_path: Path
) -> None:
    status, last = run_control(attack, attack / facts(attack)["honest_twin"], tmp_path)
    assert last.startswith("CONTROL FAILED: "), "the control must reach its end by itself"
    assert status == 1


def test_every_row_of_the_catalogue_has_a_fixture() -> None:
    assert sorted({facts(attack)["id"] for attack in ATTACKS}) == sorted(CATALOGUE)


@every_attack
def test_the_description_is_complete(attack: Path) -> None:
    said = facts(attack)
    assert set(REQUIRED) <= set(said) <= {*REQUIRED, *OPTIONAL}
    assert attack.name.startswith(f"a{int(said['id'][1:]):02d}-")
    assert said["base"] in {"wrong", "right"}
    assert (attack / said["honest_twin"] / "solution.py").is_file()
    assert set(said.get("must_find", ())) <= set(said["allowed_defects"])
    ways = [name for name in ("attack.py", "solution.py", "build.py") if (attack / name).is_file()]
    assert len(ways) == 1
    assert ("answer" in said) == (ways == ["attack.py"])


@every_attack
def test_the_named_routes_are_functions_of_the_attack(attack: Path) -> None:
    routes = set(facts(attack).get("routes", ()))
    if not routes or attack.name == "a40-cookie":  # its one route hides in a comment
        return
    tree = ast.parse(gathering.joined(attack.name))
    assert routes <= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
