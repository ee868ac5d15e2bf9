"""Strange verifications in real children: the honest lose nothing, the others earn nothing."""

from __future__ import annotations

import pytest

from grader.intake.files import Read
from grader.intake.find import assemble
from grader.observe.observe import Allowance
from grader.observe.trials import Examinee
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


@linux_only
@pytest.mark.parametrize("style", [*DISHONEST, *SCRIPTS])
def test_a_dishonest_one_is_not_believed(style: str, torch_zygote: Zygote) -> None:
    record = tried(torch_zygote, (DISHONEST | SCRIPTS)[style])
    missed = any(t.missed for t in record.trials)
    print(style, record.doubt, record.reason, record.overlooked, record.idle)
    assert record.overlooked == TENSORS or missed or record.doubt or not record.tested
