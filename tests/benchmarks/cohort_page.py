"""The cohort's page at 5,000 and 50,000 submissions: its size, and how quick it is in Chromium.

Real results of the shipped samples, under new names and with new scores; the page as the grader
writes it, opened from a file.
"""

from __future__ import annotations

import copy
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from grader.bundled import bundled
from grader.checks import ALL_CHECKS
from grader.cohort import Settings
from grader.cohort.run import grade_cohort
from grader.cohort.similarity import STRUCTURE_KEY, groups
from grader.cohort.worker import Order
from grader.defects import KINDS
from grader.intake import find_cohort
from grader.report import write_index
from grader.rubric import load_rubric
from tests.hostile import browser

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = 24
SIZES = (5_000, 50_000)
FRAME = "await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"


def main() -> None:
    path = browser.find()
    if not path:
        sys.exit("no Chromium here")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        outlines, page = _graded(Path(folder))
        print(f"a submission's page: {len(page.encode()) / 1e3:.0f} kB, the largest of {SAMPLES}")
        launched = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for count in SIZES:
            rows = _many(outlines, count)
            begun = time.process_time()
            alike = groups({r["submission"]["id"]: r.get(STRUCTURE_KEY, "") for r in rows})
            compared = time.process_time() - begun
            file = Path(folder) / "index.html"
            begun = time.process_time()
            with file.open("w", encoding="utf-8") as stream:
                write_index(rows, f"{count} submissions", stream, {}, alike)
            written = time.process_time() - begun
            print(
                f"{count:,} submissions: {file.stat().st_size / 1e6:.2f} MB, "
                f"written in {written:.1f} s, compared for likeness in {compared:.1f} s"
            )
            _look(launched.new_page(viewport={"width": 1440, "height": 900}), file)
        launched.close()


def _graded(folder: Path) -> tuple[list[dict[str, Any]], str]:
    """Outlines of real results, and the longest of their pages."""
    rubric = load_rubric(
        bundled("rubrics") / "onsite.yaml", [c.id for c in ALL_CHECKS], [c.code for c in KINDS]
    )
    order = Order(rubric, Settings(seed=1), "interviewer")
    found = find_cohort(ROOT / "submissions").entries[:SAMPLES]
    graded = grade_cohort(order, found, folder, jobs=2, tell=lambda _one: None)
    pages = [p.read_text("utf-8") for p in folder.glob("submissions/*/report.html")]
    return [one.document for one in graded], max(pages, key=len)


def _many(outlines: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """`count` results with names, scores and structures of their own; a few are copies."""
    rng = random.Random(7)
    rows = []
    for number in range(count):
        row = copy.copy(rng.choice(outlines))
        id = f"candidate-{number:05d}"
        row["submission"] = {"id": id, "name": f"{rng.choice(NAMES)} {rng.choice(NAMES)} {number}"}
        row["score"] = round(row["score"] * rng.uniform(0.3, 1.0), 1)
        row[STRUCTURE_KEY] = "".join(f"{rng.getrandbits(31):08x}" for _ in range(64))
        if rows and rng.random() < 0.01:
            row[STRUCTURE_KEY] = rng.choice(rows)[STRUCTURE_KEY]
        rows.append(row)
    return rows


NAMES = ("Ada", "Bruno", "Chiara", "Dana", "Emeka", "Fatima", "Ingrid", "Kenji", "Lucía", "Zoë")


def _look(page: Page, file: Path) -> None:
    clock = Busy(page)
    before = clock.milliseconds()
    page.goto(browser.address(file))
    ready = float(page.evaluate("document.documentElement.dataset.ready"))
    busy = clock.milliseconds() - before
    drawn = page.locator("#cohort tbody tr").count()
    print(
        f"  interactive after {ready:.0f} ms ({busy:.0f} ms of processor), {drawn} rows in the document"
    )
    for what, action in (
        ("sort by score", "document.querySelector('[data-id=score] button').click();"),
        ("sort by name", "document.querySelector('[data-id=name] button').click();"),
        ("search", "find.value = 'kenji batch'; find.dispatchEvent(new Event('input'));"),
        ("scroll", "find.value = ''; find.dispatchEvent(new Event('input'));"
         "begun = performance.now(); frame.scrollTop = 90000;"),
    ):  # fmt: skip
        busy = clock.milliseconds()
        took = page.evaluate(
            f"(async () => {{ let begun = performance.now(); {action} {FRAME}"
            " return performance.now() - begun; })()"
        )
        print(f"  {what}: {took:.0f} ms ({clock.milliseconds() - busy:.0f} ms of processor)")
    page.close()


class Busy:
    """Processor time of a page's main thread: other work on the machine does not count."""

    def __init__(self, page: Page) -> None:
        self._client = page.context.new_cdp_session(page)
        self._client.send("Performance.enable", {"timeDomain": "threadTicks"})

    def milliseconds(self) -> float:
        """So far, for this page."""
        metrics = self._client.send("Performance.getMetrics")["metrics"]
        return 1e3 * float(next(m["value"] for m in metrics if m["name"] == "ThreadTime"))


if __name__ == "__main__":
    main()
