"""The commands before a run: `grader rubric`, `new`, `explain` and `doctor`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.app import EXIT_UNDECIDED, app, rubric_app
from grader.cli.options import chosen_rubric, path_of
from grader.errors import CallerError


@rubric_app.command("check")
def rubric_check(file: Annotated[Path, typer.Argument(metavar="FILE", parser=path_of)]) -> None:
    """Say what is wrong in a rubric or a contract, line by line, and what to write instead."""
    from grader.rubric import holds_contract_alone, load_contract, warnings

    if holds_contract_alone(file):
        typer.echo(f"{file}: a valid contract, “{load_contract(file).title}”")
        return
    checked = chosen_rubric(file)
    items = sum(len(part.items) for part in checked.parts)
    size = f"{len(checked.parts)} parts, {items} items"
    size += f", with the contract “{checked.contract.title}”" if checked.contract else ""
    typer.echo(f"{file}: a valid rubric, “{checked.title}”, {size}")
    for warning in warnings(checked):
        typer.echo(f"warning: {warning}", err=True)


@rubric_app.command("schema")
def rubric_schema_command() -> None:
    """Print the JSON Schema of a rubric, for editors."""
    import json

    from grader.rubric import rubric_schema

    typer.echo(json.dumps(rubric_schema(), indent=2))


@app.command()
def new(folder: Annotated[Path, typer.Argument(metavar="FOLDER", parser=path_of)]) -> None:
    """Write a starter submission to hand to candidates."""
    from grader.bundled import PACKAGE

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CallerError(f"{folder} exists already; name a folder that does not")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE / "starter", folder, dirs_exist_ok=True, ignore=ignore)
    typer.echo(f"Wrote {folder}: hand it to the candidate, who fills in solution.py.")


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="As in a report; `all` lists them.")],
) -> None:
    """Explain what a check or a defect code means."""
    from grader.explain import explanation
    from grader.terminal import Terminal

    Terminal().text(explanation(code))


@app.command()
def doctor() -> None:
    """Show what this machine can isolate, proven by trying, and the versions in use."""
    from grader.doctor import examine
    from grader.terminal import Terminal

    facts = examine()
    Terminal().facts(facts)
    if not facts.usable:
        raise typer.Exit(EXIT_UNDECIDED)
