"""The server answers whoever has its address, and loses nothing that it acknowledged."""

from __future__ import annotations

import json
import random
import shutil
import signal
import threading
import time
from http.client import HTTPException
from pathlib import Path

import pytest

from grader.cohort import Engine
from grader.review import open_folder
from tests.review.conftest import ANSWERED, OTHER, SAMPLES, graded_into
from tests.review.serving import ITEM, Served, mark, served

EVIL = "http://evil.example"


def test_pages_are_served_to_this_machine_with_all_the_safe_headers(server: Served) -> None:
    assert server.host.startswith("127.0.0.1:")
    for path in (server.home, f"{server.home}s/{ANSWERED}"):
        page = server.ask("GET", path)
        assert page.status == 200, page.body
        assert "access-control-allow-origin" not in page.headers
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
    report = server.ask("GET", f"{server.home}report/{ANSWERED}")
    assert report.status == 200
    assert "sandbox allow-scripts" in report.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/x/", "/../", "//", f"/s/{ANSWERED}", "/%00/"])
def test_without_the_token_there_is_nothing(server: Served, path: str) -> None:
    found = server.ask("GET", path)
    assert found.status == 404
    assert ANSWERED not in found.body
    assert "grader view --review" in found.body


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1"])
def test_a_name_that_was_rebound_to_this_machine_is_refused(server: Served, host: str) -> None:
    assert server.ask("GET", server.home, headers={"Host": host}).status == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {},
        {"Origin": "ours", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "ours", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_change_from_elsewhere_is_refused(server: Served, headers: dict[str, str]) -> None:
    headers = {k: f"http://{server.host}" if v == "ours" else v for k, v in headers.items()}
    field = "mark/followup-q5"
    order = {"field": field, "value": mark(1), "base": 0, "who": "Eve"}
    body, kind = json.dumps(order).encode(), {"Content-Type": "application/json"}
    path = f"{server.home}s/{ANSWERED}/changes"
    assert server.ask("POST", path, body, {**kind, **headers}).status == 403
    assert "Eve" not in {change["who"] for change in server.state(ANSWERED)["history"]}
    base = server.state(ANSWERED)["fields"].get(field, {"version": 0})["version"]
    own = server.save(ANSWERED, field, mark(1), base=base)
    assert own.status == 201, "the same from our own page"


def test_another_site_cannot_read_but_can_be_come_from(server: Served) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    reading = {**foreign, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}
    opening = {**foreign, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    framing = {**foreign, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert server.ask("GET", server.home, headers=reading).status == 403
    assert server.ask("GET", server.home, headers=framing).status == 403
    assert server.ask("GET", server.home, headers={"Origin": EVIL}).status == 403
    assert server.ask("GET", server.home, headers=opening).status == 200


def test_what_is_no_change_is_refused_in_words(server: Served) -> None:
    path = f"{server.home}s/{ANSWERED}/changes"
    ours = {"Origin": f"http://{server.host}", "Content-Type": "application/json"}
    assert server.ask("POST", path, b"{", ours).status == 422
    assert server.ask("POST", path, b"x" * 100_000, ours).status == 413
    plain = {**ours, "Content-Type": "text/plain"}
    assert server.ask("POST", path, b"{}", plain).status == 415
    refused = server.save(ANSWERED, ITEM, mark(3))
    assert refused.status == 422
    assert "more than the 2" in refused.json()["error"]
    assert server.save(ANSWERED, ITEM, mark(1), who=" ").status == 422
    assert server.save("nobody", ITEM, mark(1)).status == 422
    assert server.ask("GET", f"{server.home}s/nobody").status == 404


def test_the_second_of_two_reviewers_sees_what_the_first_did(server: Served) -> None:
    field = "mark/followup-q2"
    assert server.save(ANSWERED, field, mark(1, "from Ada")).status == 201
    late = server.save(ANSWERED, field, mark(2), who="Bob")
    assert late.status == 409
    standing = late.json()["state"]["fields"][field]
    assert (standing["who"], standing["value"]["note"]) == ("Ada", "from Ada")
    assert server.save(ANSWERED, field, mark(2), base=standing["version"], who="Bob").status == 201
    assert [change["who"] for change in server.state(ANSWERED)["history"]][:2] == ["Bob", "Ada"]
    other = server.save(ANSWERED, "mark/followup-q3", mark(1), who="Bob")
    assert other.status == 201, "another field is nobody's conflict"


def test_a_page_hears_of_changes_and_only_of_changes(server: Served) -> None:
    path = f"{server.home}s/{ANSWERED}/changes"
    first = server.state(ANSWERED)
    known = f"{path}?after={first['last']}&graded={first['graded']}"
    assert server.ask("GET", known).status == 204
    server.save(ANSWERED, "mark/followup-q4", mark(1))
    told = server.ask("GET", known)
    assert told.status == 200
    assert told.json()["fields"]["mark/followup-q4"]["value"]["points"] == 1


def test_a_regrade_keeps_every_mark_and_flags_those_of_another_version(
    server: Served, engine: Engine, tmp_path: Path
) -> None:
    out, field = server.out, "mark/explain-shapes"
    comment = {"file": "solution.py", "line": 3, "text": "why?"}
    before = server.state(ANSWERED)["waiting"]
    assert server.save(ANSWERED, field, mark(1)).status == 201
    assert server.save(ANSWERED, "comment/1", comment).status == 201
    assert server.save(OTHER, field, mark(2)).status == 201
    counted = server.state(ANSWERED)
    again = shutil.copytree(SAMPLES / ANSWERED, tmp_path / ANSWERED)
    with (again / "solution.py").open("a") as stream:
        stream.write("\n# handed in again\n")
    graded_into(out, engine, again, SAMPLES / OTHER)
    changed, same = server.state(ANSWERED), server.state(OTHER)
    assert changed["history"] == counted["history"]
    assert changed["fields"][field]["why_not"] == "The submission has changed since."
    assert changed["fields"]["comment/1"]["value"]["quote"]
    assert changed["waiting"] > before
    assert changed["total"] == changed["automatic"]
    assert counted["total"] != counted["automatic"]
    assert (same["waiting"], same["fields"][field]["why_not"]) == (0, "")
    assert same["total"] != same["automatic"]
    confirmed = server.save(ANSWERED, field, mark(1), base=1).json()["state"]
    assert confirmed["waiting"] == changed["waiting"] - 1
    assert confirmed["total"] != confirmed["automatic"]
    row = server.ask("GET", server.home).body
    assert "to look at again" in row


def test_what_was_acknowledged_survives_kill_9_while_saving(out: Path) -> None:
    moments = random.Random(7)
    acknowledged: dict[str, int] = {}
    enough = threading.Event()

    def hammer(running: Served, field: str, until: int) -> None:
        for version in range(1, 1000):
            value = {"file": "solution.py", "line": 1, "text": f"{field} {version}"}
            try:
                answer = running.save(ANSWERED, field, value, base=version - 1)
            except (OSError, HTTPException):  # the server is gone, perhaps in mid-answer
                return
            assert answer.status == 201
            acknowledged[field] = version
            if version >= until:
                enough.set()

    for number in range(2):
        enough.clear()
        with served(out) as running:
            threads = [
                threading.Thread(target=hammer, args=(running, f"comment/{who}-{number}", 12))
                for who in ("ada", "bob")
            ]
            for thread in threads:
                thread.start()
            assert enough.wait(60)
            time.sleep(moments.uniform(0.0, 0.05))
            running.process.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join()
    assert len(acknowledged) == 4
    latest = open_folder(out).store.latest(ANSWERED)
    for field, version in acknowledged.items():
        assert latest[field].version in (version, version + 1), "at most one was under way"
    history = open_folder(out).store.history(ANSWERED)
    assert len(history) == sum(change.version for change in latest.values())
