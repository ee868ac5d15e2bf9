"""Whatever the bytes of a rubric: a rubric, or one `RubricError` with a line for every problem."""

from __future__ import annotations

import re
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import RubricError
from grader.rubric.load import CAPS, parse_rubric
from grader.yaml_data import Unreadable, read_yaml

EXAMPLES = 150
SECONDS = 5.0
"""For one input, on a busy machine; the longest that was found takes half a second."""
LINE = re.compile(r"(?s)fuzz\.yaml:[1-9][0-9]*: .+")
RUBRICS = Path(__file__).parents[2] / "rubrics"
TEXTS = tuple(path.read_bytes() for path in sorted(RUBRICS.glob("*.yaml")))

PIECES = st.sampled_from(
    [
        *(
            b"&a ",
            b"*a",
            b"!!python/name:os.system ",
            b"!<x> ",
            b"<<: ",
            b"? ",
            b": ",
            b"- ",
            b"\t",
        ),
        *(b"---\n", b"...\n", b"%YAML 9.9\n", b"|2\n", b">-\n", b'"\\UFFFFFFFF"', b"\x00", b"\xff"),
        *(b"\xef\xbb\xbf", b"{", b"}", b"[", b"]", b"'", b'"', b"#", b"\n", b"\r", b"\xe2\x80\xa8"),
        *(b"1" * 5000, b"0x1F", b"010", b"1:30", b".nan", b".inf", b"1e999", b"~", b"no"),
        *(b"points: -1\n", b"points: x\n", b"id: p\n", b"checks: [x]\n", b"[" * 40, b"- " * 40),
    ]
)
SETTINGS = settings(
    max_examples=EXAMPLES,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A part of a bundled rubric with pieces put in, taken out and moved."""
    data = draw(st.sampled_from(TEXTS))
    lines = data.splitlines(keepends=True)
    data = b"".join(lines[: draw(st.integers(1, 60))])
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        end = at + draw(st.integers(0, 30))
        data = data[:at] + draw(PIECES | st.just(b"")) + data[end:]
    return data


ANY = (
    st.binary(max_size=300)
    | st.lists(PIECES, max_size=30).map(b"".join)
    | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
)


def refusal_is_well_formed(error: RubricError) -> None:
    assert error.problems
    for problem in error.problems:
        assert LINE.fullmatch(problem), problem
        assert problem.isprintable(), problem


@SETTINGS
@given(data=spoilt())
def test_a_spoilt_rubric_is_read_or_refused(data: bytes, known: frozenset[str]) -> None:
    started = time.process_time()
    try:
        parse_rubric(data, "fuzz.yaml", known)
    except RubricError as error:
        refusal_is_well_formed(error)
    assert time.process_time() - started <= SECONDS


@SETTINGS
@given(data=ANY)
def test_any_bytes_are_read_or_refused(data: bytes, known: frozenset[str]) -> None:
    try:
        parse_rubric(data, "fuzz.yaml", known)
    except RubricError as error:
        refusal_is_well_formed(error)


@SETTINGS
@given(data=ANY)
def test_any_yaml_is_plain_data_or_refused(data: bytes) -> None:
    try:
        reading = read_yaml(data, CAPS)
    except Unreadable:
        return
    assert reading.plain is None or type(reading.plain) in (dict, list, str, int, float, bool)
    assert reading.lines.at(("no", "such", "path")) >= 1
