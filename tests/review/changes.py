"""Changes as a page sends them, and a folder to keep them."""

from __future__ import annotations

from typing import Any

from grader.review import Folder
from grader.review.forms import ChangeRequest

WRONG = "backward.batch_mean"


def say(folder: Folder, id: str, field: str, value: Any, base: int = 0) -> None:
    folder.save(id, ChangeRequest(field=field, value=value, base=base, who="Ada"))


def override(status: str) -> dict[str, str]:
    return {"status": status, "reason": "read it"}
