"""Whatever a child does, its judge gives one verdict in time, and the next child is fine.

The child's handler is sent as source; it finds the pipe and the nonce in the
frames of the harness above it, as a hostile submission would.
"""

from __future__ import annotations

import signal
import time
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from grader.records import Ended
from grader.sandbox import session
from grader.sandbox.control import Limits
from grader.sandbox.pool import Zygote
from grader.sandbox.session import OUTPUT_KEPT, OUTPUT_LIMIT, Child, Reply
from tests.sandbox.confined import linux_only
from tests.sandbox.naughty import HANDLER, ROOM, SECONDS, do, ends, serves, started

pytestmark = [linux_only, pytest.mark.usefixtures("no_leak")]


@pytest.fixture
def child(zygote: Zygote) -> Iterator[Child]:
    with started(zygote) as one:
        yield one


# ── the usual course ─────────────────────────────────────────────────────────


def test_items_come_back_as_they_were_sent(child: Child) -> None:
    items = {"X": np.arange(6.0).reshape(2, 3), "y": np.array([1, 2]), "text": "é", "raw": b"\0"}
    reply = child.request("some-kind", items, ROOM)
    assert reply.ended is Ended.OK
    assert reply.items["echo"] == "some-kind"
    np.testing.assert_array_equal(reply.items["X"], items["X"])
    assert (reply.items["text"], reply.items["raw"]) == ("é", b"\0")
    assert 0 < reply.seconds < SECONDS


def test_a_request_and_a_reply_larger_than_a_pipe_pass(child: Child) -> None:
    large = np.random.default_rng(0).normal(size=(1000, 1000))
    reply = child.request("large", {"X": large}, large.nbytes + ROOM)
    np.testing.assert_array_equal(reply.items["X"], large)


def test_one_child_answers_many_requests(child: Child) -> None:
    assert all(do(child, str(n)).ended is Ended.OK for n in range(200))


def several(child: Child, *codes: str, seconds: float = SECONDS) -> list[Reply]:
    requests = [("do", {"do": code, "mark": str(n)}, ROOM) for n, code in enumerate(codes)]
    return child.request_several(requests, seconds)


def test_several_requests_have_a_reply_each(child: Child) -> None:
    replies = several(
        child, "{'a': 1.5}", "claims('missing')", "1 / 0", "None", "claims('timeout')"
    )
    ended = [reply.ended for reply in replies]
    assert ended == [Ended.OK, Ended.MISSING, Ended.RAISED, Ended.OK, Ended.BAD_RETURN]
    assert replies[0].items["a"] == 1.5 and "ZeroDivisionError" in replies[2].items["error"]
    assert (replies[3].items["echo"], replies[3].items["mark"]) == ("do", "3")
    assert child.alive and do(child, "None").ended is Ended.OK


@pytest.mark.parametrize(
    ("code", "stays"),
    [
        ("os._exit(0)", False),
        ("time.sleep(60)", False),
        ("{'x': np.zeros(1 << 20)}", False),
        ("{'x' * 41: 1}", True),
        ("{'x': np.array([object()])}", True),
    ],
)
def test_where_one_of_several_goes_wrong_none_is_answered(
    child: Child, code: str, stays: bool
) -> None:
    assert several(child, "None", code, "None", seconds=0.5) == []
    assert child.alive is stays


@pytest.mark.parametrize(
    "said", ["ok", "raised", "bad-return", "missing", "framework", "memory-limit"]
)
def test_a_child_may_say_this_of_itself(child: Child, said: str) -> None:
    assert do(child, f"claims({said!r})").ended is Ended(said)


@pytest.mark.parametrize(
    "said", ["harness", "timeout", "not-run", "crash", "output-limit", "pass", ""]
)
def test_a_child_that_claims_what_only_the_judge_sees_is_not_believed(
    child: Child, said: str
) -> None:
    assert do(child, f"claims({said!r})").ended is Ended.BAD_RETURN


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ("ValueError('shapes')", "ValueError: shapes"),
        ("ValueError('first\\nsecond')", "ValueError: first"),
        ("SystemExit(0)", "SystemExit: 0"),
        ("KeyboardInterrupt()", "KeyboardInterrupt"),
        ("SyntaxError('bad', ('a.py', 3, 1, 'x = ', 3, 5))", "SyntaxError: bad"),
        ("ExceptionGroup('many', [ValueError('x')])", "ExceptionGroup: many (1 sub-exception)"),
    ],
)
def test_whatever_is_raised_is_told_in_one_line(child: Child, error: str, line: str) -> None:
    reply = do(child, f"raises({error})")
    assert reply.ended is Ended.RAISED
    assert reply.items["error"] == line
    assert child.alive


def test_an_exception_that_cannot_be_printed_is_one_all_the_same(child: Child) -> None:
    reply = do(child, "raises(Sneaky())")
    assert reply.ended is Ended.RAISED
    assert "Sneaky" in reply.items["error"]


# ── time ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "code", ["time.sleep(100)", "[0 for _ in iter(int, 1)]", "spin_deaf()", "drip()"]
)
def test_a_hang_is_a_timeout_at_the_deadline(zygote: Zygote, code: str) -> None:
    started_at = time.monotonic()
    with started(zygote, 0.5) as child:
        reply = do(child, code)
    assert reply.ended is Ended.TIMEOUT
    assert 0.4 < time.monotonic() - started_at < 30, "it would last for ever"
    assert serves(zygote)


def test_a_request_may_have_less_time_than_its_child(zygote: Zygote) -> None:
    with started(zygote) as child:
        reply = do(child, "time.sleep(100)", seconds=0.2)
        assert not child.alive
    assert reply.ended is Ended.TIMEOUT
    assert 0.1 < reply.seconds < 3


def test_a_request_never_has_more_time_than_its_child(zygote: Zygote) -> None:
    with started(zygote, 0.4) as child:
        assert do(child, "time.sleep(100)", seconds=60).seconds < 3


def test_one_deadline_holds_for_all_requests_together(zygote: Zygote) -> None:
    with started(zygote, 0.6) as child:
        endings = [do(child, "time.sleep(0.25)").ended for _ in range(4)]
    assert endings[0] is Ended.OK
    assert endings[-2:] == [Ended.TIMEOUT, Ended.NOT_RUN] or endings[-1] is Ended.NOT_RUN


def test_a_child_that_never_reads_does_not_hold_a_large_request_up(zygote: Zygote) -> None:
    with zygote.spawn(Limits(), 1.0) as child:
        child.request("load-oracle", {"source": HANDLER}, ROOM)
        do(child, "[time.sleep(100)]", seconds=0.3)
        assert child.request("x", {"X": np.zeros(1 << 20)}, ROOM).ended is Ended.NOT_RUN
    assert serves(zygote)


def test_processor_time_has_a_limit_of_its_own(zygote: Zygote) -> None:
    reply = ends(zygote, "[0 for _ in iter(int, 1)]", cpu_seconds=1)
    assert reply.ended is Ended.TIMEOUT


# ── endings ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [0, 1, 78, 255])
def test_leaving_is_a_crash_whatever_the_status(zygote: Zygote, status: int) -> None:
    reply = ends(zygote, f"os._exit({status})")
    assert reply.ended is Ended.CRASH
    assert f"status {status}" in reply.detail


@pytest.mark.parametrize(
    ("code", "name"), [("ctypes.string_at(0)", "SIGSEGV"), ("os.abort()", "SIGABRT")]
)
def test_a_deadly_signal_is_a_crash_with_its_name(zygote: Zygote, code: str, name: str) -> None:
    reply = ends(zygote, code)
    assert reply.ended is Ended.CRASH
    assert name in reply.detail


def test_a_child_that_closes_its_pipes_is_a_crash(zygote: Zygote) -> None:
    assert ends(zygote, "both_pipes()").ended is Ended.CRASH


def test_a_call_that_is_not_allowed_is_a_violation(zygote: Zygote) -> None:
    reply = ends(zygote, "ctypes.CDLL(None).syscall(101, 0, 0, 0, 0)")  # ptrace on x86-64
    assert reply.ended is Ended.VIOLATION


def test_a_closed_child_answers_nothing_and_can_be_closed_again(child: Child) -> None:
    first = child.close()
    assert child.close() is first
    assert first.signal == signal.SIGKILL
    assert do(child, "1").ended is Ended.NOT_RUN


# ── memory and output ────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "code", ["b'x' * (8 << 30)", "np.ones(1 << 30)", "[bytearray(1 << 24) for _ in iter(int, 1)]"]
)
def test_a_memory_bomb_is_a_memory_limit(zygote: Zygote, code: str) -> None:
    with started(zygote, limits=Limits(memory_bytes=256 << 20)) as child:
        reply = do(child, code)
        assert reply.ended is Ended.MEMORY_LIMIT
        assert "MemoryError" in reply.items["error"]
        assert do(child, "1 + 1").ended is Ended.OK
    assert serves(zygote)


def test_a_flood_is_an_output_limit(zygote: Zygote) -> None:
    with started(zygote) as child:
        reply = do(child, f"flood({4 * OUTPUT_LIMIT})")
        assert reply.ended is Ended.OUTPUT_LIMIT
        assert len(child.output) == OUTPUT_KEPT
    assert serves(zygote)


def test_much_output_below_the_limit_is_counted_and_its_start_kept(child: Child) -> None:
    assert do(child, "flood(1 << 22)").ended is Ended.OK
    child.close()
    assert child.output_bytes == 1 << 22
    assert bytes(child.output) == b"x" * OUTPUT_KEPT


def test_both_streams_are_kept_down_to_the_last_words(child: Child) -> None:
    do(child, "words('one')")
    do(child, "(words('two'), os._exit(0))")
    assert bytes(child.output).decode().splitlines() == ["one", "one", "two", "two"]


def test_a_child_without_streams_still_answers(child: Child) -> None:
    do(child, "silent()")
    assert all(do(child, "1").ended is Ended.OK for _ in range(3))


# ── the protocol ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "code",
    [
        "say(forged(harness()['frame'].nonce + 1))", "say(forged(0))", "say(b'x' * 100)",
        "say(wire.HEADER.pack(b'BPG1', b'ok', 1, 2**32 - 1, 2**64 - 1))",
        "say(wire.HEADER.pack(b'BPG1', b'ok', 1, 1, 0) + wire.ENTRY.pack(b'x', 2, 2, 0, 2**62, 0, 0))",
        "say(wire.HEADER.pack(b'BPG1', b'ok', 1, 257, 0))",
    ],
)  # fmt: skip
def test_a_forged_reply_is_a_violation(zygote: Zygote, code: str) -> None:
    assert ends(zygote, code).ended is Ended.VIOLATION


@pytest.mark.parametrize(
    "code", ["twice()", "bytes_beside()", "say(forged(harness()['frame'].nonce))"]
)
def test_what_comes_beside_the_reply_is_a_violation(zygote: Zygote, code: str) -> None:
    with started(zygote) as child:
        assert do(child, code).ended is Ended.OK  # the one that was awaited
        time.sleep(0.05)
        reply = do(child, "1")
        assert reply.ended is Ended.VIOLATION
        assert not child.alive
    assert serves(zygote)


def test_half_a_reply_and_an_end_is_a_crash(zygote: Zygote) -> None:
    assert ends(zygote, "(say(b'BPG1ok'), os._exit(0))").ended is Ended.CRASH


def test_a_reply_beyond_what_was_asked_for_is_refused_before_it_is_read(zygote: Zygote) -> None:
    with started(zygote) as child:
        tracemalloc.start()
        try:
            reply = do(child, "{'x': np.zeros(1 << 23)}", room=1024)
            assert tracemalloc.get_traced_memory()[1] < 4 << 20
        finally:
            tracemalloc.stop()
        assert reply.ended is Ended.VIOLATION
    assert serves(zygote)


def test_an_answer_that_cannot_be_sent_is_a_bad_return(child: Child) -> None:
    for code in (
        "{'x': np.array([object()])}",
        "{'x' * 41: 1.0}",
        "{'é': 1.0}",
        "claims('x' * 17)",
    ):
        assert do(child, code).ended is Ended.BAD_RETURN
    assert child.alive


def test_a_nonce_cannot_be_foreseen(child: Child) -> None:
    nonces = {do(child, "{'n': str(harness()['frame'].nonce)}").items["n"] for _ in range(50)}
    assert len(nonces) == 50
    assert max(map(int, nonces)) > 2**48


def test_every_ending_has_a_speaker() -> None:
    """What a child may say and what the judge alone sees share nothing by accident."""
    assert session._REPORTABLE.isdisjoint(
        {Ended.HARNESS, Ended.TIMEOUT, Ended.NOT_RUN, Ended.CRASH}
    )
