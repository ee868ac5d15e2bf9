"""What a candidate's names mean: `w_1`, `weights1` and `W_hidden` are W1 (child's side).

Only the name is looked at here. Names are compared without case and underscores; the
tables list what people write, the plainest first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

WEIGHTS = ("W1", "b1", "W2", "b2")
TENSORS = (*WEIGHTS, "X")
DATA = ("X", "y", *WEIGHTS)

_TENSOR_WORDS: Mapping[str, str] = {
    "X": """x inputs input data features xbatch batchx batch images image xb inp a0 samples xin
        inputdata xdata xnp xarr xt xtensor xtrain trainx xs inputbatch h0 bx""",
    "y": """y labels label targets target ytrue t ytrain trainy ybatch batchy yb gt truth
        groundtruth ynp yt ytensor ys tgt expected correctlabels truelabels ylabels yidx yint
        onehoty yonehot yoh ohy onehot yhot yenc onehotlabels labelsonehot targetsonehot t1h
        yencoded desired by trueclass classlabels""",
    "W1": """w1 weights1 weight1 theta1 wh whidden wxh wih winputhidden weightsinputhidden wi
        win w1np hiddenweights weightshidden w1t firstw wfirst kernel1 wa m1 weightsih wone
        weights1np fc1w fc1weight l1w layer1w""",
    "b1": """b1 bias1 biases1 bh bhidden biashidden hiddenbias bi bin b1np bxh bih bfirst firstb
        ba beta1 biash bone fc1b fc1bias l1b layer1b""",
    "W2": """w2 weights2 weight2 theta2 wo wout woutput why who whiddenoutput weightshiddenoutput
        w2np outputweights weightsoutput w2t secondw wsecond kernel2 wb m2 weightsho wtwo
        weights2np fc2w fc2weight l2w layer2w whc""",
    "b2": """b2 bias2 biases2 bo bout boutput biasoutput outputbias b2np bhy bho bsecond secondb
        bb beta2 biaso btwo fc2b fc2bias l2b layer2b by2""",
}

_PASSED_WORDS: Mapping[str, str] = {
    "params": "params parameters param theta model weights ws wts w network net p parms wandb",
    "biases": "biases bs b",
    "cache": """cache caches ctx memory saved state store cached intermediates forwardcache
        fwd fwdcache activations forwardout forwardoutput fwdout values tape context mem fcache
        forwardpass outs""",
    "Z1": "z1 preact1 preactivation1 zh pre1 lin1 s1 u1 hpre h1pre hiddenpre z1np hin net1 a1pre",
    "H1": "h1 a1 hidden h relu1 act1 hiddenlayer r1 hout hiddenoutput hiddenout activation1 layer1",
    "Z2": "z2 logits scores zo s2 lin2 out o net2 output score",
    "P": """p probs prob probabilities yhat ypred predictions a2 softmax pred preds outputs output
        out yprob softmaxout o py smax softmaxprobs yout ypredicted h2 scores probas prediction""",
    "dZ2": "dz2 dlogits dscores delta2 dout dz grad dl upstream",
    "loss": "loss cost l j",
    "grads": "grads gradients grad dgrads gradient g",
}

_SIZE_WORDS: Mapping[str, str] = {
    "D": """d inputsize inputdim ninput ninputs din infeatures nin nx numfeatures nfeatures
        inputnodes indim insize dimin sizein inputunits inputlayersize inputs input numinputs ni
        inputlayer inputparams nfeat inputneurons dinput inputfeatures dimensions i dimx""",
    "H": """h hiddensize hiddendim nhidden hidden hiddenunits hiddennodes dhidden hid nh
        hiddenlayersize numhidden hiddens hiddenlayer hiddenneurons sizehidden nhid dimhidden
        hdim dimh hiddenfeatures hsize units width""",
    "C": """c outputsize outputdim noutput numclasses nclasses dout outdim k ny noutputs
        outfeatures nout outsize classes numoutputs outputnodes no nc outputs output sizeout
        outputunits outputlayersize outputlayer nclass nlabels numlabels outputneurons doutput
        dimout o depth numclass""",
    "sizes": """layersizes layerdims layers sizes dims architecture layersdims layersize nn
        layerdimensions dimensions structure topology arch shape nnarchitecture layersdim""",
    "hiddens": "hiddendims hiddensizes hiddenlayers hiddenlayersizes hiddendimlist",
    "B": "m n batchsize nsamples bs numexamples numtrain nexamples b batch numsamples bsz mtrain",
}

_OFF_WORDS = """reg lambda lambd lam l2 l2reg l2lambda weightdecay regstrength regularization
    wd lambdareg reglambda regularizer l1 l1reg dropout dropoutrate dropoutprob pdrop dropoutp
    decay momentum regparam lmbda lmbd"""
_SETTING_WORDS: Mapping[str, str] = {
    "lr": "lr learningrate eta alpha stepsize learnrate rate step",
    "one": """keepprob keep epochs numiters iterations niter numepochs nepochs iters
        numiterations maxiter epoch niters numsteps steps maxiters scale keepprobability t""",
    "seed": "seed randomstate rng randomseed",
    "small": "weightscale std weightinitstd initscale wscale sigma weightstd eps epsilon",
    "no": "verbose debug printcost printloss plot log usedropout predict normalize shuffle",
    "yes": "training train istraining returngrads grad withgrads computegrads returngrad",
    "dtype": "dtype dt",
}


def plain(name: str) -> str:
    """Return a name without case, underscores and dots."""
    return name.lower().replace("_", "").replace(".", "")


def _table(words: Mapping[str, str]) -> tuple[dict[str, tuple[str, ...]], ...]:
    found: dict[str, tuple[str, ...]] = {}
    for role, text in words.items():
        for word in text.split():
            found[word] = (*found.get(word, ()), role)
    return (found,)


(TENSOR_ROLES,) = _table(_TENSOR_WORDS)
(PASSED_ROLES,) = _table(_PASSED_WORDS)
(SIZE_ROLES,) = _table(_SIZE_WORDS)
(SETTING_ROLES,) = _table({**_SETTING_WORDS, "off": _OFF_WORDS})


def data_roles(names: Iterable[str]) -> dict[str, str]:
    """Return which of `names` are X, y, W1, b1, W2, b2; counting may begin at 0: `W0, b0, …`."""
    roles = {n: r[0] for n in names if (r := TENSOR_ROLES.get(plain(n)))}
    plains = {plain(n): n for n in names}
    for zero, one, stem in (("w0", "w1", "W"), ("b0", "b1", "b"), ("theta0", "theta1", "W")):
        if zero in plains and one in plains and not {"w2", "b2", "theta2"} & set(plains):
            roles[plains[zero]], roles[plains[one]] = f"{stem}1", f"{stem}2"
    return roles


_BEFORE = (
    *("dld", "djd", "ded", "dcd", "dlossd", "dcostd", "derrd", "dloss", "dl", "dj", "d"),
    *("gradientswrt", "gradientwrt", "gradientof", "gradients", "gradient"),
    *("gradswrt", "gradwrt", "gradof", "grads", "grad", "nabla", "delta", "partial", "g"),
)
_AFTER = ("gradients", "gradient", "grads", "grad", "deriv", "delta", "prime")
_LAYERED = re.compile(r"^\D*?(\d)\D*?(w|weights?|kernel|b|bias(?:es)?)$")


_FROM_ZERO = re.compile(r"(?:w|b|weights?|bias)0")


def from_zero(names: Iterable[str]) -> bool:
    """Tell whether gradients are numbered from 0: there is a `dW0` and no `dW2`."""
    texts = [plain(n) for n in names]
    return any(_FROM_ZERO.search(t) for t in texts) and not any(
        re.search(r"(?:w|b|weights?|bias)2", t) for t in texts
    )


def gradient_of(name: str, *, zero: bool = False) -> tuple[str, bool]:
    """Return the tensor whose gradient a name says it is, and whether it says "gradient" at all.

    `dW1`, `grad_w1`, `dL_dW1`, `W1.grad`, `W1_grad` are explicit; `W1` alone is not.
    With `zero`, counting begins there: `dW0` is that of W1.
    """
    if zero:
        name = re.sub(r"(?i)(w|b|weights?|bias)_?([01])", lambda m: m[1] + str(int(m[2]) + 1), name)
    text = plain(re.sub(r"(?i)_(np|numpy|torch|t|pt|manual|auto|ag)$", "", name))
    cores = [text.removeprefix(p) for p in _BEFORE if text.startswith(p)]
    cores += [text.removesuffix(s) for s in _AFTER if text.endswith(s)]
    for core in cores:
        if tensor := _tensor(core):
            return tensor, True
    return _tensor(text), False


def _tensor(text: str) -> str:
    roles = TENSOR_ROLES.get(text, ())
    return roles[0] if roles and roles[0] != "y" else ""


def layered(name: str) -> tuple[int, str] | None:
    """(number of the layer, "W" or "b") that `layer1.W`, `fc2.bias` or `0.weight` names."""
    match = _LAYERED.match(plain(name).replace("grad", "").replace("'", ""))
    return (int(match.group(1)), "bW"[match.group(2)[0] != "b"]) if match else None


def is_container(name: str) -> bool:
    """Tell whether a parameter of this name may hold all weights."""
    return "params" in PASSED_ROLES.get(plain(name), ())


def says_one_hot(name: str) -> bool:
    """Tell whether a label's name says that it is a one-hot matrix."""
    text = plain(name)
    return "hot" in text or text in ("yoh", "ohy", "yenc", "yencoded", "t1h")


def is_loss(name: str) -> bool:
    """Tell whether a value's name says that it is the loss."""
    text = plain(name)
    return text in ("l", "j", "ce", "nll", "lossval") or any(
        word in text for word in ("loss", "cost", "crossentropy", "objective")
    )


_FORWARD = re.compile(
    r"forward|feedf|(?<!b)fprop|fwd|(?<!back)(?<!backward)(?<!retro)(?<!rétro)propagat|^predict|logits|^call$|scores|^inference|"
    r"avant|adelante|avanti|vorw(?:ae|ä)rts"
)
_BACKWARD = re.compile(
    r"backward|backprop|bprop|bwd|grad|^back|derivat|backpass|r[eé]troprop|arri[eè]re|atr[aá]s|"
    r"indietro|r(?:ue|ü)ckw(?:ae|ä)rts"
)
_LOSS = re.compile(
    r"loss|cost|crossent|nll|objective|criterion|^ce$|softmaxce|perte|p[eé]rdida|verlust|perdita"
)
_TRAIN = re.compile(r"^train|^fit|step|update|optimi|sgd|learn|descent")
_ASIDE = re.compile(
    r"^test|^main|plot|check|verif|compar|numeric|finite|load|^demo|^run|onehot|accuracy|"
    r"evaluat|relerr|assert|valid|generate|makedata|bench|get.?batch|print|hook|zerograd|init"
)
_LAYER = re.compile(r"relu|linear|affine|dense|softmax|sigmoid|tanh|layer|activation|^fc")


def kinds(name: str) -> frozenset[str]:
    """Return what a function's name says: `forward`, `backward`, `both`, `loss`, `train`.

    `aside` is what stands beside an answer (tests, plots); `layer` a part of the network.
    """
    text = plain(name)
    if _ASIDE.search(text):
        return frozenset({"aside"})
    found = {
        kind
        for kind, pattern in (
            ("forward", _FORWARD), ("backward", _BACKWARD), ("loss", _LOSS), ("train", _TRAIN),
            ("layer", _LAYER),
        )
        if pattern.search(text)
    }  # fmt: skip
    if "backward" in found and found & {"forward", "loss"}:
        found = {"both"}
    return frozenset(found)
