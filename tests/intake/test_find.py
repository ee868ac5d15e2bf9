"""Whatever a candidate hands in becomes a submission, and each gets an answer."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from grader.errors import CallerError, SubmissionError
from grader.intake import find_cohort, take_in
from grader.intake.files import MAX_FILE, Read
from grader.intake.find import assemble
from grader.intake.main import choose, file_facts
from grader.intake.notebook import read_notebook
from grader.limits import FILES, NAMES, SOURCE_LINES
from grader.records import SourceFile, Submission
from tests.intake.archives import packed, tarred

FORWARD = "def forward(X, y, W1, b1, W2, b2):\n    return 0.0, None\n"
BACKWARD = "def backward(cache):\n    return {}\n"
ROOT = Path(__file__).parents[2]


def notebook(source: str) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": source}]})


def folder(root: Path, **texts: str) -> Path:
    """A folder of files; `__` in a name stands for `/`, `_dot_` for `.`."""
    for name, text in texts.items():
        path = root / name.replace("_slash_", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def assembled(**texts: str) -> Submission:
    named = {n.replace("_slash_", "/").replace("_dot_", "."): t for n, t in texts.items()}
    files = tuple(SourceFile(n, t.encode()) for n, t in named.items())
    return assemble("id", "name", Read(files, ()))


def unusable(submission: Submission) -> str:
    """What the one defect of a submission without a main file says."""
    assert submission.main == ""
    assert submission.source == ""
    (why,) = submission.unusable
    return f"Nothing could be graded: {why}."


# ── each form ────────────────────────────────────────────────────────────────


def test_the_reference_is_taken_in_as_it_stands() -> None:
    reference = take_in(ROOT / "reference")
    assert reference.main == "solution.py"
    assert reference.source == (ROOT / "reference" / "solution.py").read_text()
    assert reference.answers == (ROOT / "reference" / "answers.md").read_text()
    assert reference.unusable == ()


def test_a_folder_has_its_name_and_keeps_only_code(tmp_path: Path) -> None:
    root = tmp_path / "ada lovelace"
    folder(root, solution_dot_py=FORWARD, answers_dot_md="## Q1", plot_dot_png="")
    taken = take_in(root)
    assert taken.name == "ada lovelace"
    assert re.fullmatch(r"ada-lovelace-[0-9a-f]{8}", taken.id)
    assert [f.path for f in taken.files] == ["solution.py"]
    assert taken.answers == "## Q1"
    assert taken.passed_over == ("plot.png",)


def test_a_file_has_its_stem_as_a_name(tmp_path: Path) -> None:
    taken = take_in(folder(tmp_path, ada_dot_py=FORWARD) / "ada.py")
    assert (taken.name, taken.id, taken.main, taken.source) == ("ada", "ada", "ada.py", FORWARD)


def test_a_notebook_becomes_a_module(tmp_path: Path) -> None:
    path = tmp_path / "my work.ipynb"
    path.write_text(notebook(FORWARD))
    taken = take_in(path)
    assert taken.main == "my_work.py"
    assert taken.source == read_notebook(path.read_bytes()).source.decode()


def test_a_zip_is_read_like_a_folder_and_has_its_digest(tmp_path: Path) -> None:
    whole = folder(tmp_path / "ada", solution_dot_py=FORWARD, sub_slash_b_dot_py="b = 1\n")
    archive = tmp_path / "ada.zip"
    members = [("sub/b.py", b"b = 1\n"), ("solution.py", FORWARD.encode())]
    archive.write_bytes(packed(members))
    assert take_in(archive).digest == take_in(whole).digest
    assert take_in(archive).main == "solution.py"


def test_a_zip_of_one_folder_is_unwrapped(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(packed([("ada/solution.py", b"x"), ("ada/lib/b.py", b"y")]))
    assert {f.path for f in take_in(tmp_path / "a.zip").files} == {"solution.py", "lib/b.py"}


def test_a_package_keeps_the_name_by_which_its_modules_import_each_other() -> None:
    taken = assembled(net_slash___init___dot_py="", net_slash_solution_dot_py=FORWARD)
    assert {f.path for f in taken.files} == {"net/__init__.py", "net/solution.py"}
    assert taken.main == "net/solution.py"


@pytest.mark.parametrize("name", ["SOLUTION.PY", "Solution.Py", "nb.IPYNB", "ada.ZIP"])
def test_the_case_of_a_suffix_does_not_count(tmp_path: Path, name: str) -> None:
    contents = {".py": FORWARD.encode(), ".zip": packed([("A.PY", FORWARD.encode())])}
    contents[".ipynb"] = notebook(FORWARD).encode()
    path = tmp_path / name
    path.write_bytes(contents[path.suffix.lower()])
    taken = take_in(path)
    assert taken.main.endswith(".py")
    assert "def forward" in taken.source


def test_what_is_shown_is_what_runs_where_a_notebook_and_a_file_share_a_name() -> None:
    taken = assembled(
        solution_dot_ipynb=notebook("x = 'notebook'"), solution_dot_py=FORWARD,
        a_b_dot_ipynb=notebook("y = 1"),
    )  # fmt: skip
    paths = [f.path for f in taken.files]
    assert len(set(paths)) == len(paths) == 3
    assert dict.fromkeys(paths).keys() >= {"solution.py", "a_b.py"}
    assert taken.main == "solution.py"
    assert taken.source == FORWARD


# ── which file matters ───────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("texts", "main"),
    [
        ({"a.py": "", "solution.py": FORWARD}, "solution.py"),
        ({"solution.py": "", "net.py": FORWARD}, "net.py"),
        ({"a.py": FORWARD, "b.py": FORWARD + BACKWARD}, "b.py"),
        ({"test_a.py": FORWARD, "z.py": FORWARD}, "z.py"),
        ({"a_test.py": FORWARD, "z.py": FORWARD}, "z.py"),
        ({"deep/a.py": FORWARD, "z.py": FORWARD}, "z.py"),
        ({"deep/solution.py": FORWARD, "z.py": FORWARD + BACKWARD}, "deep/solution.py"),
        ({"b.py": "", "a.py": ""}, "a.py"),
        ({"a.py": "# def forward\n    def forward", "b.py": FORWARD}, "b.py"),
        ({"a.py": "def forward_pass(): ...", "b.py": FORWARD}, "b.py"),
        ({"readme.md": FORWARD}, ""),
    ],
)
def test_main_is_the_file_that_defines_most_of_the_contract(
    texts: dict[str, str], main: str
) -> None:
    files = [SourceFile(n, t.encode()) for n, t in texts.items()]
    assert choose(files).path == main
    assert choose(files[::-1]).path == main


def test_bytes_that_are_no_text_have_a_main_file_too() -> None:
    assert choose([SourceFile("a.py", b"\xff\xfe\0"), SourceFile("b.py", b"\x80")]).path == "a.py"


# ── what cannot be graded still gets an answer ───────────────────────────────


def test_an_empty_folder(tmp_path: Path) -> None:
    assert "no Python file" in unusable(take_in(tmp_path))


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff"])
def test_an_empty_file(text: str, tmp_path: Path) -> None:
    assert "solution.py is empty" in unusable(take_in(folder(tmp_path / "a", solution_dot_py=text)))


def test_a_notebook_without_code(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text('{"cells": [{"cell_type": "markdown", "source": "hi"}]}')
    assert "no code cells" in unusable(take_in(tmp_path / "a.ipynb"))


def test_a_notebook_saved_as_a_web_page(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text("<!DOCTYPE html><html>")
    assert "web page" in unusable(take_in(tmp_path / "a.ipynb"))


def test_a_notebook_with_its_plots_may_be_large(tmp_path: Path) -> None:
    data = json.dumps(
        {"cells": [{"cell_type": "code", "source": FORWARD, "outputs": ["x" * MAX_FILE]}]}
    )
    (tmp_path / "a.ipynb").write_text(data)
    assert take_in(tmp_path / "a.ipynb").main == "a.py"


def test_modules_that_a_notebook_writes_are_files_of_the_submission() -> None:
    taken = assembled(hw_dot_ipynb=notebook("%%writefile net.py\nx = 1\n"), net2_dot_py="y = 1")
    assert {f.path for f in taken.files} == {"hw.py", "net.py", "net2.py"}


def test_an_archive_inside_is_opened_where_there_is_no_code_beside_it(tmp_path: Path) -> None:
    inner = packed([("src/solution.py", FORWARD.encode()), ("src/x.png", b"")])
    (tmp_path / "a.zip").write_bytes(packed([("hw/code.zip", inner), ("hw/notes.md", b"hi")]))
    taken = take_in(tmp_path / "a.zip")
    assert taken.source == FORWARD
    assert taken.passed_over == ("code/src/x.png", "hw/notes.md")


def test_an_archive_beside_code_is_passed_over_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(
        packed([("data.zip", b"PK"), ("solution.py", FORWARD.encode())])
    )
    taken = take_in(tmp_path / "a.zip")
    assert taken.source == FORWARD
    assert taken.passed_over == ("data.zip (an archive inside what was handed in)",)


def test_an_archive_in_an_archive_in_an_archive(tmp_path: Path) -> None:
    inner = packed([("deep.zip", packed([("solution.py", b"x")]))])
    (tmp_path / "a.zip").write_bytes(packed([("code.zip", inner)]))
    assert "another archive: hand in the files themselves" in unusable(take_in(tmp_path / "a.zip"))


def test_junk_is_passed_over_with_its_reason_and_stays_as_it_is(tmp_path: Path) -> None:
    folder(
        tmp_path / "ada", solution_dot_py=FORWARD, data_dot_csv="1", venv_slash_x_dot_py="x",
        my_env_slash_pyvenv_dot_cfg="", my_env_slash_lib_slash_y_dot_py="y = 1",
    )  # fmt: skip
    (tmp_path / "ada" / "big.py").write_bytes(b"#" * (MAX_FILE + 1))
    (tmp_path / "ada" / "link.py").symlink_to("/etc/passwd")
    before = sorted(tmp_path.rglob("*"))
    taken = take_in(tmp_path / "ada")
    assert [f.path for f in taken.files] == ["solution.py"]
    assert set(taken.passed_over) == {
        "data.csv", "venv/ (not your own source)", "my_env/ (a virtual environment)",
        "big.py (larger than 2 MiB)", "link.py (a link)",
    }  # fmt: skip
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("suffix", ["tar.gz", "tgz", "tar", "TAR.GZ"])
def test_a_tar_is_read_like_a_zip(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"ada.{suffix}"
    path.write_bytes(tarred([("ada/solution.py", FORWARD.encode())], zipped="gz" in suffix.lower()))
    taken = take_in(path)
    assert (taken.name, taken.main, taken.source) == ("ada", "solution.py", FORWARD)


def test_no_zip(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"rubbish")
    assert "archive" in unusable(take_in(tmp_path / "a.zip"))


def test_a_notebook_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text("{}")
    taken = take_in(tmp_path / "a.ipynb")
    assert taken.unusable[0].startswith("a.ipynb: ")


def test_a_broken_notebook_beside_a_solution_is_a_defect_and_no_end() -> None:
    taken = assembled(a_dot_ipynb="{}", solution_dot_py=FORWARD)
    assert taken.main == "solution.py"
    assert len(taken.unusable) == 1


@pytest.mark.parametrize("size", [MAX_FILE + 1])
def test_a_file_that_is_too_large(tmp_path: Path, size: int) -> None:
    (tmp_path / "a.py").write_bytes(b"#" * size)
    assert "2 MiB" in unusable(take_in(tmp_path / "a.py"))


def test_a_link_that_leads_nowhere_belongs_to_a_candidate(tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to("nowhere")
    assert unusable(take_in(tmp_path / "a.py"))


# ── what the caller got wrong ────────────────────────────────────────────────


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="no such file"):
        take_in(tmp_path / "nobody")


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").touch()
    with pytest.raises(CallerError, match=r"\.py, \.ipynb, \.zip or \.tar\.gz"):
        take_in(tmp_path / "a.pdf")


# ── digests ──────────────────────────────────────────────────────────────────


def test_the_digest_does_not_depend_on_the_order_of_reading() -> None:
    one = assembled(a_dot_py="1", b_dot_py="2")
    other = assembled(b_dot_py="2", a_dot_py="1")
    assert one.digest == other.digest
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", one.digest)


@pytest.mark.parametrize(
    "texts",
    [{"a.py": "2"}, {"b.py": "1"}, {"a.py": "1", "b.py": ""}, {"a.py": "1", "answers.md": ""}, {}],
)
def test_the_digest_changes_with_any_byte_or_name(texts: dict[str, str]) -> None:
    files = tuple(SourceFile(n, t.encode()) for n, t in texts.items())
    changed = assemble("i", "n", Read(files, ()))
    assert changed.digest != assembled(a_dot_py="1").digest


def test_no_two_sets_of_files_run_together_into_one_digest() -> None:
    one = assemble("i", "n", Read((SourceFile("a.py", b"1"), SourceFile("b.py", b"2")), ()))
    data = b"14:b.py:1:2"
    other = assemble("i", "n", Read((SourceFile("a.py", data), SourceFile("c.md", b"")), ()))
    assert one.digest != other.digest


# ── cohorts ──────────────────────────────────────────────────────────────────


def test_a_cohort_is_found_in_the_order_of_names_with_ids_of_its_own(tmp_path: Path) -> None:
    folder(
        tmp_path, b_slash_solution_dot_py=FORWARD, a_dot_py=FORWARD, c_dot_zip="", B_dot_ipynb="",
        notes_dot_txt="", _dot_hidden_slash_x_dot_py="", __pycache___slash_x_dot_pyc="",
    )  # fmt: skip
    found = find_cohort(tmp_path).entries
    assert [f.name for f in found] == ["B", "a", "b", "c"]
    ids = [f.id for f in found]
    assert len({id.lower() for id in ids}) == 4
    assert [f.path.name for f in found] == ["B.ipynb", "a.py", "b", "c.zip"]


@pytest.mark.parametrize("name", ["nobody", "file.py", "empty"])
def test_a_cohort_that_is_none_is_the_callers_fault(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.py").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(CallerError):
        find_cohort(tmp_path / name)


def test_a_submission_error_is_never_the_callers_to_see(tmp_path: Path) -> None:
    for number in range(401):
        (tmp_path / f"{number}.py").touch()
    try:
        message = unusable(take_in(tmp_path))
    except SubmissionError:
        pytest.fail("the candidate gets no answer")
    assert "400" in message


def test_a_notebook_writes_no_more_files_than_may_be_handed_in(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "code", "source": f"%%writefile m{i}.py\nx = {i}\n"}
        for i in range(FILES + 50)
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}))
    submission = take_in(tmp_path / "a.ipynb")
    assert FILES - 2 < len(submission.files) <= FILES
    assert any("files" in words for words in submission.left_out)


def test_what_is_too_large_runs_and_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "solution.py").write_text("def forward(): pass\n" + "x = 1\n" * SOURCE_LINES)
    (tmp_path / "helper.py").write_text('"""Q1: because."""\n')
    submission = take_in(tmp_path)
    assert submission.main == "solution.py"
    assert submission.unread == ("solution.py",)
    assert [f.path for f in submission.read] == ["helper.py"]
    assert "lines" in submission.left_out[0]
    assert [a.question for a in submission.written] == [1]


def test_many_imports_cost_no_more_than_their_number() -> None:
    lines = "".join(f"from a import x{i}\n" for i in range(20_000))
    facts = file_facts(SourceFile("a.py", lines.encode()))
    assert len(facts.takes["a"]) <= NAMES


def test_a_notebooks_text_is_in_its_digest() -> None:
    def digest(*texts: str) -> str:
        cells = [{"cell_type": "markdown", "source": text} for text in texts]
        cells.append({"cell_type": "code", "source": FORWARD})
        return assembled(a_dot_ipynb=json.dumps({"cells": cells})).digest

    answers = {digest(), digest("Q1: layers"), digest("Q1: other"), digest("Q1: ", "other")}
    assert len(answers) == 4
    assert digest("Q1: layers") == digest("Q1: layers")
