"""What loads a submission holds its files as bytes, in their order."""

from __future__ import annotations

import json

from grader.observe.requests import loading_items
from grader.records import SourceFile, Submission


def test_every_file_is_sent_with_its_path() -> None:
    files = (SourceFile("a.py", b"x"), SourceFile("b/c.py", b"\xff"))
    one = Submission("id", "name", "sha256:0", files, "a.py", names={"forward": "fwd"})
    items = loading_items(one, "torch", 7)
    assert (items["side"], items["noise"], items["main"], items["files"]) == (
        "torch", "7", "a.py", "2",
    )  # fmt: skip
    assert (items["path1"], items["data1"]) == ("b/c.py", b"\xff")
    assert json.loads(items["names"]) == {"forward": "fwd"}
