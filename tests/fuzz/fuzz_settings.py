"""Coverage-guided fuzzing of `submission.yaml`: `python tests/fuzz/fuzz_settings.py [SECONDS] [INPUTS]`.

The one YAML that a candidate writes. Whatever the bytes: what can be used of them, in
notes of one printable line, and never an error. Needs `pip install -e '.[fuzz]'`.
"""

from __future__ import annotations

import sys

import atheris
from campaign import Campaign

with atheris.instrument_imports(include=["grader.yaml_data", "grader.intake.settings", "yaml"]):
    import grader.yaml_data
    from grader.intake import settings

SEEDS = (
    b"name: Ada\nnames:\n  forward: my_forward\n  backward: Net.backward\n",
    b"{name: [1, 2], names: {verify: 1.5, Linear: L}}",
    b"a: &x [1, 2]\nb: *x\n<<: {c: !!python/name:os.system ''}\n",
    b"%YAML 1.1\n---\n? [k]\n: |2\n  v\n...\n---\n",
    b'x: "\\UFFFFFFFF \\x00"\ny: 0x1F\nz: 1:30\nw: 010\nn: .nan\n',
    b"{a: {b: {c: {d: {e: 1",
)


def one_input(data: bytes) -> None:
    """Raises when the reader does anything but what it promises."""
    wishes = settings.read_settings(data, "submission.yaml")
    assert len(wishes.notes) <= settings.MOST_NOTES
    assert len(wishes.name) <= settings.MOST_NAME
    assert not grader.yaml_data.NOT_TEXT.search(wishes.name)
    for name, own in wishes.names.items():
        assert name in settings.NAMES
        assert all(word.isidentifier() and word[:2] != "__" for word in own.split("."))


if __name__ == "__main__":
    Campaign("submission.yaml", one_input, SEEDS, max_len=2048).run(sys.argv)
