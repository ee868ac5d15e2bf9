"""The `--out` of a run as reviewers and exports see it: results, their rubric, the changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.bundled import bundled
from grader.checks import ALL_CHECKS
from grader.cohort.store import RUBRIC_FILE, holds_result, read_result, result_files
from grader.defects import KINDS
from grader.errors import CallerError
from grader.report.stored import Document
from grader.review.forms import COMMENT, ChangeRequest, value_to_store
from grader.review.store import STORE_FILE, Change, Store
from grader.review.totals import Judgement, apply_judgements, judgements
from grader.rubric import Rubric, load_rubric

BUNDLED = ("onsite.yaml", "course.yaml")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One submission: what the grader found, what reviewers say, and both together."""

    id: str
    automatic: Document
    judged: Mapping[str, Judgement]
    document: Document

    @property
    def waiting(self) -> int:
        """Return how many marks and overrides do not count until somebody looks at them again."""
        return sum(not j.counts and j.change.kind != COMMENT for j in self.judged.values())


@dataclass(frozen=True)
class Folder:
    """Results by id in the order of the run, and the store beside them.

    `rubrics` are the files of the rubrics at hand, by digest.
    """

    out: Path
    paths: Mapping[str, Path]
    store: Store
    rubrics: Mapping[str, Path]
    _loaded: dict[str, Rubric] = field(default_factory=dict)

    def result(self, id: str) -> dict[str, Any]:
        """Return the stored result. Raises `CallerError` when it cannot be read."""
        document = read_result(self.paths[id])
        if document is None or not holds_result(document):
            raise CallerError(f"{self.paths[id]} cannot be read as a result; grade it again")
        return document

    def rubric(self, document: Document) -> Rubric:
        """Return the rubric that a result was graded by. Raises `CallerError` without it."""
        digest = document["rubric"]["digest"]
        if digest not in self.rubrics:
            raise CallerError(
                f"the rubric {document['rubric']['id']!r} by which {document['submission']['id']} "
                f"was graded is not beside the results; name it with --rubric, or grade it again"
            )
        if digest not in self._loaded:
            self._loaded[digest] = _load(self.rubrics[digest])
        return self._loaded[digest]

    def reviewed(self, id: str) -> Reviewed:
        """Return one submission, read now: a regrade is seen at once.

        Raises `CallerError` when something was said about it and its rubric is missing.
        """
        document = self.result(id)
        changes = self.store.latest(id)
        if not changes:
            return Reviewed(id, document, {}, document)
        rubric = self.rubric(document)
        judged = judgements(document, rubric, changes)
        return Reviewed(id, document, judged, apply_judgements(document, rubric, judged))

    def all_reviewed(self) -> Iterator[Reviewed]:
        """Yield every submission, one after another: a cohort need not fit in memory."""
        for id in self.paths:
            yield self.reviewed(id)

    def save(self, id: str, request: ChangeRequest) -> Change:
        """Keep what a reviewer says about `id`.

        Raises `CallerError` when it makes no sense there, `Conflict` when the field has changed.
        """
        document = self.result(id)
        rubric = self.rubric(document)
        return self.store.save(
            id,
            request.field,
            value_to_store(request, document, rubric),
            base=request.base,
            who=request.who,
            digest=document["submission"]["digest"],
            rubric=rubric.digest,
        )


def open_folder(out: Path, rubric: Path | None = None) -> Folder:
    """Return the results in `out`. Rubrics: `rubric`, then the one beside them, then the bundled.

    Raises `CallerError` when there is no result, `RubricError` when `rubric` is not usable.
    """
    paths = result_files(out)
    if not paths:
        raise CallerError(f"{out}: no result here; `grader grade` and `grader cohort` write one")
    known = [out / RUBRIC_FILE, *(bundled("rubrics") / name for name in BUNDLED)]
    if rubric is not None:
        _load(rubric)  # report what is wrong with a rubric that was named
        known.insert(0, rubric)
    rubrics: dict[str, Path] = {}
    for path in known:
        if path.is_file():
            digest = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
            rubrics.setdefault(digest, path)
    return Folder(out, paths, Store(out / STORE_FILE), rubrics)


def _load(path: Path) -> Rubric:
    return load_rubric(path, [c.id for c in ALL_CHECKS], [c.code for c in KINDS])
