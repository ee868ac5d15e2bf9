"""Strange verifications in real children: the honest lose nothing, the others earn nothing."""

from __future__ import annotations

import pytest

from grader.intake.files import Read
from grader.intake.find import assemble
from grader.observe.observe import Allowance
from grader.observe.trials import Doubt, Examinee
from grader.observe.verification import take_verification
from grader.observe.verification_record import Verification
from grader.problem import set_paper
from grader.records import TENSORS, SourceFile
from grader.sandbox.pool import Zygote
from tests.checks.test_verify_table import NETWORK
from tests.observe.verify_variants import DISHONEST, HONEST, SCRIPTS
from tests.sandbox.confined import linux_only

PAPER = set_paper(9)


def tried(zygote: Zygote, text: str) -> Verification:
    read = Read((SourceFile("solution.py", (NETWORK + text).encode()),), ())
    examinee = Examinee(assemble("id", "name", read), PAPER, zygote, Allowance(10.0))
    return take_verification(examinee)


@linux_only
@pytest.mark.parametrize("style", HONEST)
def test_an_honest_style_notices_all_five(style: str, torch_zygote: Zygote) -> None:
    record = tried(torch_zygote, HONEST[style])
    missed = {(t.tensor, t.words, t.side) for t in record.trials if t.missed}
    assert (record.reason, record.doubt, record.accepts) == ("", "", True)
    assert record.tested and missed == set()


BELIEVED_BY_NOBODY = ("at random", "a script that remembers")
"""They pass a trial now and then, but never all."""

LEFT_TO_A_PERSON = {"looks at the reporter": Doubt.REFUSES_RIGHT}
REACHING = ("looks at the reporter", "patches the examiner", "raises in the examiner")


@linux_only
@pytest.mark.parametrize("style", [*DISHONEST, *SCRIPTS])
def test_a_dishonest_one_is_not_believed(style: str, torch_zygote: Zygote) -> None:
    record = tried(torch_zygote, (DISHONEST | SCRIPTS)[style])
    if style in BELIEVED_BY_NOBODY:
        assert record.accepts is False or any(t.missed for t in record.trials) or record.doubt
    elif style == "raises in the examiner":
        assert record.reason and not record.tested
    else:
        doubt = LEFT_TO_A_PERSON.get(style, Doubt.NONE)
        assert record.doubt is doubt
        assert record.overlooked == (() if doubt else TENSORS)
    assert record.reaches is (style in REACHING)


@linux_only
def test_what_was_changed_in_the_process_is_named(torch_zygote: Zygote) -> None:
    zygote = torch_zygote
    read = Read(
        (SourceFile("solution.py", (NETWORK + DISHONEST["patches the examiner"]).encode()),), ()
    )
    submission = assemble("id", "name", read)
    with zygote.spawn(Allowance(10.0).limits, 10.0) as child:
        child.greet()
        record = take_verification(Examinee(submission, PAPER, zygote, Allowance(10.0), child))
    assert "grader.child.trials.session.Session.tried" in record.changed


@linux_only
def test_an_honest_one_has_changed_nothing(torch_zygote: Zygote) -> None:
    read = Read((SourceFile("solution.py", (NETWORK + HONEST["a class"]).encode()),), ())
    submission = assemble("id", "name", read)
    with torch_zygote.spawn(Allowance(10.0).limits, 10.0) as child:
        child.greet()
        record = take_verification(
            Examinee(submission, PAPER, torch_zygote, Allowance(10.0), child)
        )
    assert record.changed == () and record.doubt is Doubt.NONE
