"""Serving: a missing extra, a taken port, and the way of the browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.review.serving import Served
from tests.review.viewing import view


def test_a_missing_extra_is_named_with_what_to_install(out: Path) -> None:
    done = view(out, code="sys.modules['uvicorn'] = None")
    assert done.returncode == 2
    assert "backprop-grader[review]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_said(server: Served) -> None:
    taken = view(server.out, "--port", server.host.partition(":")[2])
    assert taken.returncode == 2
    assert "cannot be used" in taken.stderr


def test_the_browser_is_led_there_by_a_file_of_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grader.review import serve

    opened: list[str] = []
    monkeypatch.setattr(serve.webbrowser, "open", lambda uri: opened.append(uri) or True)
    assert serve.open_privately("http://127.0.0.1:1/secret/", tmp_path)
    page = tmp_path / "open.html"
    assert opened == [page.as_uri()], "no process shows the address among its arguments"
    assert page.stat().st_mode & 0o077 == 0
    assert "url=http://127.0.0.1:1/secret/" in page.read_text()
