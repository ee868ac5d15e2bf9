"""Makes the README's pictures: the grader's own pages, at desktop and phone width.

    python -m tests.report.pictures

Grades the shipped samples with a fixed seed and writes `.assets/`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from grader.bundled import bundled
from grader.checks import ALL_CHECKS
from grader.cohort import Settings
from grader.cohort.run import grade_cohort, write_cohort
from grader.cohort.worker import Order
from grader.defects import KINDS
from grader.intake import find_cohort
from grader.rubric import load_rubric
from tests.hostile.browser import find
from tests.report.chromium import DESKTOP, PHONE, chromium, opened

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / ".assets"
SHOWN = "kenji-tanaka"

REPORT = f"submissions/{SHOWN}/report.html"
PICTURES = (
    ("report", REPORT, DESKTOP, "light", None),
    ("report-phone", REPORT, PHONE, "dark", None),
    ("pictures", REPORT, DESKTOP, "light", "#pictures"),
    ("cohort", "index.html", DESKTOP, "light", None),
    ("cohort-phone", "index.html", PHONE, "dark", None),
    ("map", "index.html", (1100, 900), "light", "#atlas"),
)
"""Name, page, window, theme, and the part of the page; None for what the window shows."""


def main() -> None:
    if not find():
        sys.exit("no Chromium here")
    rubric = load_rubric(
        bundled("rubrics") / "onsite.yaml", [c.id for c in ALL_CHECKS], [c.code for c in KINDS]
    )
    order = Order(rubric, Settings(seed=7, mends=True), "interviewer")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        out = Path(folder)
        found = find_cohort(ROOT / "submissions").entries
        graded = grade_cohort(order, found, out, jobs=2, tell=lambda _one: None)
        write_cohort(order, "submissions", graded, out)
        for name, page, size, theme, part in PICTURES:
            file = ASSETS / f"{name}.png"
            with opened(browser, out / page, size=size, theme=theme) as one:
                one.page.wait_for_timeout(500)
                if part is None:
                    one.page.screenshot(path=file)
                else:
                    one.page.locator(part).screenshot(path=file)
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1e3:.0f} kB")
        pages = sorted(out.glob("submissions/*/report.html"), key=lambda p: p.stat().st_size)
        sizes = [p.stat().st_size / 1e3 for p in pages]
        print(f"{len(sizes)} reports: {sizes[0]:.0f} to {sizes[-1]:.0f} kB, "
              f"half below {sizes[len(sizes) // 2]:.0f}; index.html "
              f"{(out / 'index.html').stat().st_size / 1e3:.0f} kB")  # fmt: skip


if __name__ == "__main__":
    main()
