"""The command that holds the grader against people: `grader agree`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.app import app
from grader.cli.options import existing, path_of
from grader.errors import CallerError

NEEDED = ("sklearn", "scipy")
MISSING = (
    "agree needs scikit-learn and SciPy, which are not installed here; "
    "install the extra: pip install 'backprop-grader[agree]'"
)
DIFF_FILE = "agree.diff"
HELP = (
    "Compare an earlier run with the marks of people: how far they agree, and where they differ "
    "most. Writes OUT/agree.html.",
    "FILE holds marks from 0 to 100, or bands, or both. A band is a name of the rubric or its "
    "number, 0 for the lowest. What a marker left out stays empty (in JSON: null).",
    "CSV, a row for each mark: `submission,marker,mark,band,why`. Or a column for each marker: "
    "`submission,anna,ben`, where a cell is a mark or a band's name; `anna:band` and `anna:why` "
    "may stand beside it. The column `submission` may also be called `id` or `name`.",
    'JSON: `{"ada": {"marks": [90, 85], "bands": [4, 3], "why": ["…", "…"]}, …}`, with one entry '
    "for each marker; or a list of objects with the columns of the first CSV form.",
)


@app.command(help="\n\n".join(HELP))
def agree(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="The --out of an earlier run.", parser=path_of)
    ],
    marks: Annotated[
        Path,
        typer.Option("--marks", metavar="FILE", help="The panel's marks, CSV or JSON; see above."),
    ],
    rubric: Annotated[
        Path | None,
        typer.Option("--rubric", metavar="FILE", help="Where it is not beside the results."),
    ] = None,
    suggest: Annotated[
        bool,
        typer.Option(
            "--suggest",
            help="Propose other numbers for the rubric as OUT/agree.diff, if they predict marks "
            "that they were not fitted to better than the present ones.",
        ),
    ] = False,
) -> None:
    """Compare an earlier run with the marks of people."""
    if any(find_spec(name) is None for name in NEEDED):
        raise CallerError(MISSING)
    from grader import agreement
    from grader.cli.agreement_tables import AgreementTables
    from grader.cohort.store import write_whole
    from grader.review import open_folder
    from grader.terminal import Terminal

    folder = open_folder(existing(out), rubric)
    terminal = Terminal()
    with terminal.waiting("comparing"):
        compared = agreement.compare(folder, existing(marks))
        page = agreement.render_agreement(compared, out.resolve().name, marks)
    write_whole(out / agreement.PAGE_FILE, page)
    tables = AgreementTables(terminal.console, out)
    tables.comparison(compared)
    if suggest:
        file = folder.rubrics[compared.rubric.digest]
        suggestion = agreement.suggest(compared, file)
        if suggestion.diff:
            write_whole(out / DIFF_FILE, suggestion.diff)
        tables.suggestion(suggestion, out / DIFF_FILE)
    terminal.console.print(f"Page: {out / agreement.PAGE_FILE}", soft_wrap=True, markup=False)
