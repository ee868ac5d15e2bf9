"""Builds what a child is sent of a submission, whatever it is then asked."""

from __future__ import annotations

import json
from typing import Any

from grader.records import Submission


def loading_items(submission: Submission, side: str, noise: int) -> dict[str, Any]:
    """Return the items of any request that loads `submission`; `side` is "numpy" or "torch"."""
    items: dict[str, Any] = {"side": side, "noise": str(noise), "main": submission.main}
    items |= {"names": json.dumps(dict(submission.names)), "contract": submission.contract}
    items["files"] = str(len(submission.files))
    for index, file in enumerate(submission.files):
        items |= {f"path{index}": file.path, f"data{index}": file.data}
    return items
