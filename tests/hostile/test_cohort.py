"""One cohort of every attack beside twenty honest submissions, under a real judge.

The whole run happens once, in processes of its own; the tests look at what came of it.
An attack may lose points. Nothing else may come of it: for itself, for the honest
ones beside it, for the judge, or for the machine.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.bundled import bundled
from grader.checks import ALL_CHECKS
from grader.intake import find_cohort
from grader.records import TENSORS
from grader.review.totals import regrade
from grader.rubric import load_rubric
from tests.hostile import gathering
from tests.hostile.witnesses import Listener, Surroundings

SEED = 20_260_101
TIMEOUT = 3.0
JOBS = 2
OWN_SECONDS = 6.0
"""What judging may cost on top of a submission's own time, busy: forks, checks, pages."""
TURNS = 4
"""Times that a submission is run, one after another, each with a deadline of its own: both
halves at once, the traced run, the trials of its verification, the traced PyTorch part."""
START_SECONDS = 60.0
"""Loading torch from a slow disk, answering the exam, timing the reference."""

ALWAYS_ALLOWED = ("loss-", "grad-", "torch-", "verify-")
PASSES_ALL_THE_SAME = {
    "a08-broadcast-shapes": {f"backward.d{tensor}" for tensor in TENSORS},
}
"""Checks of `must_not_pass` that do pass: values are compared without regard to axes of length
one, for which the shape checks charge already. These fail, and so the attack gains nothing."""

EARNS_BY_RIGHT = {"a37-finite-differences": {"backward.duplicate", "backward.own_loss"}}
"""Checks that an attack passes by what it really does: differences are gradients, so they agree
with the loss they difference and with each other. They fail against autograd, and are named."""

RUBRIC = load_rubric(bundled("rubrics") / "onsite.yaml", [c.id for c in ALL_CHECKS])
CLOCK = "backward.vectorised"
"""The one check that depends on how busy the machine is; scores are compared without it."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the attacks are written for Linux")


@dataclass
class Run:
    """One judge's run: what `judge_process.py` noted, and every `result.json` by id."""

    facts: dict[str, Any]
    results: dict[str, dict[str, Any]]
    entries: dict[str, gathering.Entry]
    heard: list[str]
    listener_works: bool
    changes: list[str]
    surroundings: Surroundings
    said: str

    def of(self, attack: str) -> list[tuple[str, gathering.Entry]]:
        return [(id, entry) for id, entry in self.entries.items() if entry.attack == attack]

    def score(self, id: str) -> float:
        """What it would get if the check that depends on the clock had passed; 0 for no score."""
        row = self.results[id]
        if row["status"] == "unjudged":
            return 0.0
        passing = [{**c, "status": "pass"} if c["id"] == CLOCK else c for c in row["checks"]]
        return regrade({**row, "checks": passing}, RUBRIC).score

    def slowness(self, id: str) -> float:
        """Its time over the reference's, as its report says; infinite when it had no answer."""
        checks = {check["id"]: check for check in self.results[id]["checks"]}
        try:
            return float(checks[CLOCK]["evidence"][0]["observed"])
        except ValueError:
            return math.inf


def judged(here: Surroundings, listener: Listener, *options: str) -> Run:
    """Run a judge over `here.cohort`, and see what became of everything around it."""
    notes = here.root / "facts.json"
    here.remember()
    heard = len(listener.heard)
    done = subprocess.run(
        [
            *(sys.executable, str(Path(__file__).with_name("judge_process.py"))),
            *(str(notes), here.tokens["arguments"], "cohort", str(here.cohort)),
            *("--out", str(here.out), "--seed", str(SEED), "--timeout", str(TIMEOUT), *options),
        ],
        cwd=here.root / "cwd",
        env=here.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=900,
    )
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    facts = json.loads(notes.read_text())
    assert (here.out / "results.json").exists(), said[-3000:]
    rows = json.loads((here.out / "results.json").read_text())["results"]
    return Run(
        facts,
        {row["submission"]["id"]: row for row in rows},
        {},
        listener.heard[heard:],
        listener.answers(),
        here.changes(),
        here,
        said,
    )


@pytest.fixture(scope="module")
def alone() -> Iterator[Run]:
    """The honest ones by themselves."""
    with Surroundings.made() as here, Listener() as listener:
        gathering.honest(here.cohort)
        yield judged(here, listener, "--jobs", str(JOBS))


@pytest.fixture(scope="module")
def together() -> Iterator[Run]:
    """Everybody at once, two at a time."""
    with Surroundings.made() as here, Listener() as listener:
        gathering.honest(here.cohort)
        entries = gathering.hostile(here.cohort, here.root / "scratch", here.knobs(listener.port))
        by_path = {entry.path.name: entry for entry in entries}
        run = judged(here, listener, "--jobs", str(JOBS))
        found = find_cohort(here.cohort).entries
        run.entries = {f.id: by_path[f.path.name] for f in found if f.path.name in by_path}
        facts = run.facts
        print(f"\n{len(found)} submissions in {facts['seconds']:.1f} s, status {facts['status']}")
        yield run


# ── the honest ───────────────────────────────────────────────────────────────


def compared(run: Run) -> list[str]:
    """All but the slow one: on a busy machine it may or may not run out of time."""
    return [id for id in run.results if id != "twin-slow"]


def test_honest_submissions_score_what_they_score_alone(alone: Run, together: Run) -> None:
    assert len(compared(alone)) == gathering.HONEST
    assert {id: alone.score(id) for id in compared(alone)} == {
        id: together.score(id) for id in compared(alone)
    }


def test_every_check_of_the_honest_ends_as_it_does_alone(alone: Run, together: Run) -> None:
    def ends(run: Run, id: str) -> dict[str, str]:
        checks = run.results[id]["checks"]
        return {check["id"]: check["status"] for check in checks if check["id"] != CLOCK}

    assert {id: ends(alone, id) for id in compared(alone)} == {
        id: ends(together, id) for id in compared(alone)
    }
    assert all(row["status"] == "graded" for row in alone.results.values())


def test_right_samples_get_everything(together: Run) -> None:
    right = [id for id in together.results if id not in together.entries and "twin-" not in id]
    assert len(right) >= gathering.HONEST + 1 - len(gathering.TWINS)
    assert all(together.results[id]["score"] == together.results[id]["max_score"] for id in right)


# ── the hostile, one test an attack ──────────────────────────────────────────


def test_every_attack_took_part(together: Run) -> None:
    assert {entry.attack for entry in together.entries.values()} == set(gathering.ATTACKS)
    assert len(together.results) == len(together.entries) + gathering.HONEST + 1
    assert set(together.facts["printed"]) == set(together.results)


@pytest.mark.parametrize("attack", gathering.ATTACKS)
def test_an_attack_can_only_lose_points(attack: str, alone: Run, together: Run) -> None:
    twin = f"twin-{gathering.twin(attack)}"
    limit = max(alone.score(twin), together.score(twin))  # the slow one may run out of time
    said, expected = gathering.facts(attack), PASSES_ALL_THE_SAME.get(attack, set())
    for id, entry in together.of(attack):
        row, where = together.results[id], f"{attack} {entry.variant}"
        passed = {check["id"] for check in row["checks"] if check["status"] == "pass"}
        assert row["status"] in ("graded", "unjudged"), f"{where}: {row['fault']}"
        assert row["fault"] == "", where
        honest = EARNS_BY_RIGHT.get(attack, set())
        earned = sum(check["points"] for check in row["checks"] if check["id"] in honest)
        assert together.score(id) - earned <= limit, f"{where}: more than its honest twin"
        assert passed & set(said.get("must_not_pass", ())) == expected, where
        failed = {check["id"] for check in row["checks"] if check["status"] == "fail"}
        assert set(said.get("must_fail", ())) <= failed, f"{where}: open in place of lost"
    assert together.of(attack)


@pytest.mark.parametrize("attack", gathering.ATTACKS)
def test_an_attack_is_called_by_its_name(attack: str, together: Run) -> None:
    said = gathering.facts(attack)
    of_twin = codes(together.results[f"twin-{gathering.twin(attack)}"])
    for id, entry in together.of(attack):
        found = codes(together.results[id])
        strange = {
            code
            for code in found - set(said["allowed_defects"]) - of_twin
            if not code.startswith(ALWAYS_ALLOWED)
        }
        assert strange == set(), f"{attack} {entry.variant}"
    wanted = set(said.get("must_find", ()))
    found = set().union(*(codes(together.results[id]) for id, _ in together.of(attack)))
    assert found & wanted or not wanted, f"none of {sorted(wanted)}, only {sorted(found)}"


@pytest.mark.parametrize("attack", gathering.ATTACKS)
def test_no_route_worked_and_no_secret_was_found(attack: str, together: Run) -> None:
    has_routes = bool(gathering.facts(attack).get("routes"))
    for id, entry in together.of(attack):
        for text in together.facts["printed"][id]:
            lines = text.splitlines()
            assert not [line for line in lines if "FOUND CANARY-" in line], entry.variant
            assert "WORKED A42" not in text
            assert "WORKED A44" not in text
            assert "WORKED A47" not in text
            if has_routes:
                worked = [line for line in lines if line.startswith("WORKED")]
                assert worked == [], f"{attack} {entry.variant}"


@pytest.mark.parametrize("attack", ["a38-clock", "a38-background"])
def test_a_stopped_clock_hides_no_time(attack: str, together: Run) -> None:
    """Both stand in processor time: hidden, it would be the reference's; shown, it is 60 times that.

    Honest vectorised work takes up to 4 times as long as the reference, on any machine.
    """
    assert together.slowness("twin-slow") > 4
    for id, _ in together.of(attack):
        assert together.slowness(id) > 4


def codes(row: dict[str, Any]) -> set[str]:
    return {defect["code"] for defect in row["defects"]}


# ── the judge and the machine ────────────────────────────────────────────────


def test_the_run_ends_in_time(together: Run) -> None:
    """From the deadlines: each submission has its own time, whatever it does with it."""
    rounds = math.ceil(len(together.results) / JOBS)
    assert together.facts["seconds"] <= START_SECONDS + rounds * (TIMEOUT + OWN_SECONDS)
    first = set(together.facts["order"][:JOBS])  # these wait for torch to be loaded
    walls = {id: row["timing"]["wall_s"] for id, row in together.results.items()}
    most = TURNS * TIMEOUT + OWN_SECONDS
    slow = {id: s for id, s in walls.items() if s > most and id not in first}
    assert slow == {}


def test_no_process_is_left(together: Run) -> None:
    assert together.facts["survivors"] == []


def test_no_file_is_left_or_changed(together: Run) -> None:
    assert together.changes == []


def test_nobody_called(together: Run) -> None:
    assert together.listener_works, "a listener that hears nothing proves nothing"
    assert together.heard == []


def test_the_judge_is_as_it_was(together: Run) -> None:
    before, after = together.facts["before"], together.facts["after"]
    assert after == before
    assert len(before) == 1 + JOBS  # the parent, and every worker
    for state in before.values():
        assert state["environment"]["SECRET_TOKEN"].startswith("CANARY-")
        assert state["strange modules"] == []


def test_results_are_the_judges_own(together: Run) -> None:
    out = together.surroundings.out
    expected = {"result.json", "report.html"}
    folders = {path.name for path in (out / "submissions").iterdir()}
    assert folders == set(together.results)
    for folder in (out / "submissions").iterdir():
        assert {path.name for path in folder.iterdir()} == expected
        row = json.loads((folder / "result.json").read_text())
        assert row["submission"]["id"] == folder.name
        assert row["max_score"] + row["open_points"] == 100.0
    top = {path.name for path in out.iterdir()}
    pages = {"index.html", "results.json", "scores.csv", "run.json", "rubric.yaml"}
    assert top == {"submissions", *pages, *expected}


def test_no_secret_is_in_any_page(together: Run) -> None:
    tokens = (*together.surroundings.tokens.values(), "CANARY-a43-folder", "CANARY-a43-symlink")
    for path in together.surroundings.out.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert not [token for token in tokens if token in text], path.name


def test_every_child_was_confined(together: Run) -> None:
    for id, row in together.results.items():
        for side, layers in row["isolation"].items():
            if layers:  # empty where there was nothing to run
                assert layers["seccomp"].startswith("held"), (id, side)
                assert "unisolated" not in layers
    assert sum(bool(row["isolation"]["numpy"]) for row in together.results.values()) > 100


def test_ids_are_safe(together: Run) -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", id) for id in together.results)


# ── the witnesses ────────────────────────────────────────────────────────────

UNCONFINED = {
    "a16-overwrite-results": "builtin_open",
    "a17-read-files": "builtin_open",
    "a21-network": "tcp",
    "a23-daemon": "double_fork",
}


def test_the_witnesses_see_what_is_not_confined() -> None:
    """The control: without the sandbox, everything above would have been noticed."""
    with Surroundings.made() as here, Listener() as listener:
        for attack, route in UNCONFINED.items():
            gathering.one_route(attack, route, here.cohort, here.knobs(listener.port))
        run = judged(here, listener, "--jobs", "1", "--unsafe-no-sandbox")
    printed = "\n".join(sum(run.facts["printed"].values(), []))
    assert f"FOUND {here.tokens['file']}" in printed
    assert any("A21 was here" in line for line in run.heard)
    assert any("result.json" in line for line in run.changes)
    assert "a23-survivor" in run.facts["survivors"]
