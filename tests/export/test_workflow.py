"""The README's workflow is valid, and its own commands grade a repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import junitparser
import pytest
import yaml

ROOT = Path(__file__).parents[2]


def steps() -> list[dict[str, Any]]:
    found = re.search(r"```yaml\n(name: backprop\n.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert found is not None
    workflow = yaml.load(found[1], Loader=yaml.BaseLoader)  # `on` stays a word
    assert workflow["on"] == "push"
    assert workflow["permissions"] == {"contents": "read"}
    return list(workflow["jobs"]["grade"]["steps"])


@pytest.mark.slow
def test_the_commands_of_the_workflow_grade_a_repository_that_fails(tmp_path: Path) -> None:
    repository, temporary = tmp_path / "repository", tmp_path / "temporary"
    shutil.copytree(ROOT / "submissions" / "adrian-popescu", repository)
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "grader"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m grader "$@"\n')
    command.chmod(0o755)
    env = {**os.environ, "RUNNER_TEMP": str(temporary)}
    env["PATH"] = f"{command.parent}:{env['PATH']}"
    codes = [
        subprocess.run(["bash", "-e", "-c", step["run"]], cwd=repository, env=env, check=False)
        for step in steps()
        if step.get("run", "").startswith("grader ")
    ]
    assert [done.returncode for done in codes] == [1, 0], "below 60 %, and exported all the same"
    suites = list(junitparser.JUnitXml.fromfile(str(temporary / "junit.xml")))
    assert [suite.name for suite in suites] == ["repository"]
    assert (temporary / "out" / "report.html").is_file()
