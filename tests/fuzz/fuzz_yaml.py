"""Coverage-guided fuzzing of rubrics: `python tests/fuzz/fuzz_yaml.py [SECONDS] [INPUTS]`.

Whatever the bytes: a rubric, or one `RubricError` whose every line names file and line.
Needs `pip install -e '.[fuzz]'`. Prints what was tried.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import atheris
from campaign import Campaign

with atheris.instrument_imports(include=["grader.rubric", "yaml"]):
    from grader.rubric.load import parse_rubric

from grader.checks import ALL_CHECKS
from grader.errors import RubricError

KNOWN = [check.id for check in ALL_CHECKS]
RUBRICS = Path(__file__).resolve().parents[2] / "rubrics"
SEEDS = (
    *(path.read_bytes()[:2048] for path in sorted(RUBRICS.glob("*.yaml"))),  # whole ones are slow
    b"rubric: 1\nid: a\ntitle: b\nparts:\n- id: p\n  title: P\n  items:\n  - id: i\n    points: 1\n",
    b"a: &x [1, 2]\nb: *x\n<<: {c: !!python/name:os.system ''}\n",
    b"%YAML 1.1\n---\n? [k]\n: |2\n  v\n...\n---\n",
    b'x: "\\UFFFFFFFF \\x00"\ny: 0x1F\nz: 1:30\nw: 010\nn: .nan\n',
    b"[[[[[[[[[[[[[[[[[[[[",
    b"{a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: {n: {o: {p: {q: 1",
)
LINE = re.compile(r"(?s)fuzz\.yaml:[1-9][0-9]*: .+")


def one_input(data: bytes) -> None:
    """Raises when the loader does anything but what it promises."""
    try:
        parse_rubric(data, "fuzz.yaml", KNOWN)
    except RubricError as error:
        problems = error.problems
    else:
        return
    assert problems
    for problem in problems:
        assert LINE.fullmatch(problem), problem
        assert problem.isprintable(), problem


if __name__ == "__main__":
    Campaign("yaml", one_input, SEEDS, max_len=4096).run(sys.argv)
