"""Which edits are tried for which code, the likeliest first; then all others, up to a cap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grader.repair import formulas as f
from grader.repair import toggles as t
from grader.repair.blame import Blame, Operator
from grader.source.edits import Edit

LIKELY: Mapping[str, tuple[Operator, ...]] = {
    "bias-missing": (f.biased,),
    "bias-wrong-axis": (t.parts,),
    "relu-missing": (f.activated,),
    "relu-replaced": (f.activated,),
    "relu-on-logits": (t.right_parts, t.parts),
    "double-softmax": (t.right_parts, t.parts),
    "torch-double-softmax": (t.right_parts, t.parts),
    "softmax-no-max-shift": (t.right_parts, t.parts, f.shifted),
    "softmax-global-max": (t.reduced, t.right_parts, t.parts),
    "softmax-wrong-axis": (t.reduced, t.all_axes),
    "softmax-wrong-broadcast": (t.reduced, t.column),
    "loss-log-underflow": (f.log_sum_exp,),
    "loss-log-epsilon": (f.log_sum_exp, t.right_parts, t.parts),
    "loss-sum-not-mean": (t.reduced, f.divided),
    "loss-mean-over-elements": (f.divided, t.reduced),
    "loss-wrong-gather": (f.gathered, f.swapped("y", "rows")),
    "loss-sign": (t.negated,),
    "loss-log-base": (t.natural, t.right_parts, t.parts),
    "loss-not-scalar": (t.right_parts, t.parts, t.averaged),
    "loss-extra-term": (t.right_parts, t.parts, t.dropped),
    "loss-unexplained": (t.right_parts, t.parts),
    "nondeterministic": (t.right_parts, t.parts, t.dropped),
    "hard-coded-size": (t.right_parts, f.divided),
    "class-count-from-labels": (f.classes,),
    "grad-missing-batch-mean": (f.divided, t.reduced),
    "grad-double-batch-mean": (t.right_parts, t.parts, t.dropped, t.reduced),
    "grad-mean-over-classes": (f.divided, t.parts),
    "grad-sign": (t.negated, t.right_parts, t.parts, t.dropped),
    "grad-onehot-missing": (f.labelled,),
    "grad-softmax-derivative": (t.right_parts, t.parts, t.dropped),
    "grad-from-logits": (f.swapped("P"), f.written("{np}.exp({0})", "logP")),
    "grad-extra-term": (t.right_parts, t.parts, t.dropped),
    "weights-updated-early": (t.right_parts, t.parts, t.dropped),
    "grad-accumulates": (t.parts, t.dropped),
    "grad-transposed": (t.transposed, t.all_turned),
    "grad-unexplained": (t.right_parts, t.parts),
    "relu-mask-missing": (f.swapped("dZ1"), f.gated),
    "relu-mask-inverted": (t.compared, t.parts, f.gated),
    "relu-mask-from-gradient": (f.swapped("Z1"), f.gated),
    "relu-mask-is-activation": (f.gated,),
    "dw2-from-preactivation": (f.swapped("H1"),),
    "bias-grad-not-summed": (t.over_batch,),
    "bias-grad-mean": (t.reduced,),
    "bias-grad-wrong-axis": (t.reduced, t.over_batch),
    "bias-grad-over-everything": (t.over_batch,),
    "bias-grad-keepdims": (t.reduced, t.flat),
    "torch-reduction-sum": (t.keywords, t.reduced, f.divided),
    "torch-leaf-without-grad": (t.keywords,),
    "torch-graph-detached": (t.parts,),
    "torch-inplace": (t.dropped, t.parts),
    "torch-precision-lost": (t.keywords, t.wide, t.parts),
    "mutates-input": (t.copied, t.dropped),
    "mutates-cache": (t.copied, t.dropped),
    "torch-grad-accumulates": (t.dropped, t.parts),
    "hidden-state": (t.parts, t.dropped),
    "grad-missing": (f.returned,),
}
"""By code. What a code has in common with others is tried for it all the same, but later."""

OTHERWISE: tuple[Operator, ...] = (
    *(t.right_parts, t.compared, t.reduced, f.divided, t.negated, t.parts, t.dropped),
    *(t.transposed, f.gated, f.exchanged),
)


def candidates(b: Blame, code: str, *, widely: bool) -> Iterator[Edit]:
    """Edits that might mend `code` at the place blamed, each once, all of them sound.

    `widely`: what other codes would need is tried as well.
    """
    likely = LIKELY.get(code, OTHERWISE)
    others = tuple(o for o in OTHERWISE if o not in likely) if widely else ()
    seen: set[Edit] = set()
    for operator in (*likely, *others):
        for edit in operator(b):
            if edit not in seen and b.text.sound(edit):
                yield edit
            seen.add(edit)
