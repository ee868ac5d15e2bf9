"""Reads shapes out of one line of prose: `# Z1: (B, H)`, `[B, D] @ [D, H] -> [B, H]`.

Prose is loose, so a claim is `firm` only where nothing else could be meant: a
firm claim may turn out wrong, any other only right. Every expression here is
bounded and works on a bounded text, so a hostile line costs no more than an
honest one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from grader.source.shapes.words import FIXED, USUAL, exact_name

MAX_TEXT = 240
"""Characters of a line that are read."""

TOKEN = r"(?:[A-Za-z_]\w{0,30}|\d{1,6})"
_INSIDE = r"[^()\[\]{}]{0,60}"
_ONE = r"(?:[A-Z]|\d{1,6})"

PIECE = re.compile(
    rf"(?P<shape>\({_INSIDE}\)|\[{_INSIDE}\]|\{{{_INSIDE}\}})"
    r"|(?P<arrow>-{1,2}>|=>|→|⟶|⇒|↦)"
    rf"|(?P<product>{TOKEN}(?:\s?×\s?{TOKEN}|\sx\s{TOKEN}|-by-{TOKEN}){{1,3}}"
    rf"|{_ONE}(?:x{_ONE}| by {_ONE}){{1,2}}\b)"
    r"|(?P<word>[^\W\d]\w*(?:[.\-][^\W\d]\w*)*)"
    r"|(?P<other>\S)"
)
TIMES = re.compile(r"\s?×\s?|\sx\s|[ -]by[ -]|(?<=[A-Z\d])x(?=[A-Z\d])")
ONE_TOKEN = re.compile(TOKEN)
BARE = re.compile(rf"^(?:shape|size|dims?)? ?[:=]? ?({TOKEN}(?:, ?{TOKEN}){{1,2}})\.?")
REAL = re.compile(r"(?:∈ ?|\\?\bin )?(?:\\mathbb ?\{R\}|\\R\b|ℝ|\bR) ?\^ ?")
HINT = re.compile(
    rf"[\[(] ?{TOKEN} ?[,×\])x-]|\( ?\)|[×⨯]|[Ss]calar|float|0-?d|{_ONE}x{_ONE}| x | by |-by-"
    rf"|\\times|^ ?{TOKEN}, |[Ss]hape"
)
"""What every line has that says something; most lines have not."""
SCALAR = re.compile(r"(?:an? |the |python )?(?:scalar|0-?d|zero-dimensional)", re.IGNORECASE)

FILLERS_TEXT = """
array arrays ndarray ndarrays np.ndarray numpy.ndarray numpy tensor tensors
torch.tensor matrix vector of shape shaped shapes size sizes dims dim dimension
dimensions with has have having is are the a an float32 float64 float floats int int64
ints integer integers bool boolean array-like array_like type torch.size
"""
FILLERS = frozenset(FILLERS_TEXT.split())
"""Words that may stand between a name and its shape."""

CAUTIONS_TEXT = """
sum sums summed mean means averaged average reduce reduced reduces over before then
from after broadcast broadcasts broadcasted broadcasting transposed transpose axis
each per not no never instead would should if when otherwise flattened reshaped
reshape reshapes was were into along wrong unlike like than or
"""
CAUTIONS = frozenset(CAUTIONS_TEXT.split())
"""Words after which a shape may be about something else than what stands nearest."""

OPERATORS = "@+*/·•^|&<>"
DASHES = "-–—"
BETWEEN = ("x", "X", "dot", "times", "matmul", "and", "plus", ".", *DASHES)
ENDS = ",;:.)—–!?"


@dataclass(frozen=True, slots=True)
class Claim:
    """`subjects` are names in the text, the likeliest first; none: what the text stands at."""

    subjects: tuple[str, ...]
    shape: tuple[str, ...]
    firm: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word, a sign or a shape; `glued` follows a word without a blank, as calls do."""

    kind: str
    text: str
    shape: tuple[str, ...] = ()
    loose: bool = False
    glued: bool = False


def claims(text: str) -> list[Claim]:
    """Return the shapes that a line states, in its order."""
    text = text[:MAX_TEXT]
    if not HINT.search(text):
        return []
    text = text.replace("\\times", "×").replace("⨯", "×")
    if bare := BARE.fullmatch(text.strip()):
        return [Claim((), tuple(part.strip() for part in bare[1].split(",")), False)]
    pieces = _signed(list(_pieces(REAL.sub("∈ ", text))))
    if not any(p.kind == "shape" for p in pieces):
        return []
    careful = any(p.kind == "word" and p.text.lower() in CAUTIONS for p in pieces)
    found = [c for i, p in enumerate(pieces) if p.kind == "shape" for c in _claims_at(pieces, i)]
    said: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for claim in found:
        said.setdefault(claim.subjects, set()).add(claim.shape)
    doubtful = {subjects for subjects, shapes in said.items() if len(shapes) > 1}
    return [replace(c, firm=False) if careful or c.subjects in doubtful else c for c in found]


# ── pieces ───────────────────────────────────────────────────────────────────


def _pieces(text: str) -> Iterator[_Piece]:
    end, before = -1, ""
    for match in PIECE.finditer(text):
        kind, said = match.lastgroup or "other", match[0]
        glued = match.start() == end and before == "word"
        if kind == "shape":
            yield _bracketed(said, glued=glued)
        elif kind == "product":
            yield _Piece("shape", said, tuple(TIMES.split(said)))
        elif kind == "word" and said.lower() == "scalar":
            yield _Piece("shape", said)
        elif kind == "word" and said == "float" and not text[match.end() :].strip(" .,;"):
            yield _Piece("shape", said, loose=True)
        else:
            yield _Piece(kind, said)
        end, before = match.end(), kind


def _signed(pieces: list[_Piece]) -> list[_Piece]:
    """The same with what stands between two shapes, as in `(B,D) x (D,H) = (B,H)`, as a sign."""
    for i in range(1, len(pieces) - 1):
        beside = pieces[i - 1].kind, pieces[i + 1].kind
        if beside == ("shape", "shape") and pieces[i].text == "=":
            pieces[i] = _Piece("arrow", "=")
        elif beside == ("shape", "shape") and pieces[i].text in BETWEEN:
            pieces[i] = _Piece("other", "@")
    return pieces


def _bracketed(said: str, *, glued: bool) -> _Piece:
    """A shape in brackets, or the brackets as mere signs."""
    inner = said[1:-1].strip()
    if SCALAR.fullmatch(inner):
        return _Piece("shape", said)
    comma = "," in inner
    parts = [p.strip() for p in inner.removesuffix(",").split(",")] if comma else []
    if not comma:
        parts = TIMES.split(inner) if inner else []
    fits = all(ONE_TOKEN.fullmatch(p) for p in parts)
    lone = len(parts) == 1 and not comma
    braces = said[0] == "{" and len(parts) < 2
    numbered = lone and parts[0].isdigit()  # `[1]` refers, `(2)` counts
    called = glued and not (parts and all(p in FIXED or p.lower() in USUAL for p in parts))
    if not fits or braces or numbered or called:
        return _Piece("other", said)
    loose = glued or (lone and said[0] == "(") or said == "[]"
    return _Piece("shape", said, tuple(parts), loose, glued)


# ── what a shape is about ────────────────────────────────────────────────────


def _claims_at(pieces: Sequence[_Piece], at: int) -> Iterator[Claim]:
    """What the shape at `at` says of whom; nothing when it is an operand of a product."""
    piece, after = pieces[at], pieces[at + 1] if at + 1 < len(pieces) else None
    before, colon = _left_of(pieces, at)
    computes = after is not None and (after.kind in ("arrow", "shape") or _joins(after))
    listed = [p.kind for p in pieces[at + 2 : at + 3]] == ["shape"]
    ends = after is None or (after.kind == "other" and after.text in ENDS and not listed)
    head = _head(pieces, at)
    if before < 0:
        if not computes:
            yield Claim((), piece.shape, ends and not piece.loose)
    elif pieces[before].kind == "arrow":
        if not computes:  # the last of a chain: what it all comes to
            chained = before == 0 or pieces[before - 1].kind == "shape"
            firm = chained and ends and not piece.loose and not head
            yield Claim((head,) if exact_name(head) else (), piece.shape, firm)
    elif pieces[before].kind == "word":
        if not (computes and colon):
            firm = not (piece.loose or computes)
            yield from _named(pieces, before, head, replace(piece, loose=not firm))
    elif not computes and not _joins(pieces[before]) and pieces[before].kind != "shape":
        yield Claim((head,) if head else (), piece.shape, False)


def _left_of(pieces: Sequence[_Piece], at: int) -> tuple[int, bool]:
    """Where, left of a shape and its fillers, the thing stands that it may be about.

    -1 when it is the first. Also whether there was a colon or an equals sign.
    """
    i, colon = at - 1, False
    while i >= 0:
        piece, further = pieces[i], pieces[i - 1] if i else None
        if piece.kind == "word" and piece.text.lower() in FILLERS:
            i -= 1
        elif piece.kind == "other" and piece.text in (":", "=", "∈", "~"):
            i, colon = i - 1, True
        elif piece.text in (",", "(") and further and further.text.lower() in FILLERS:
            i -= 1
        elif piece.text in ("-", "–", "—", "*", "•", "`", "#"):
            if not (i == 0 or (piece.text in "-–—`" and further and further.kind == "word")):
                break
            i -= 1
        else:
            break
    return i, colon


def _joins(piece: _Piece) -> bool:
    """Whether a sign makes an operand of the shape beside it."""
    return piece.kind == "other" and piece.text in OPERATORS


def _head(pieces: Sequence[_Piece], at: int) -> str:
    """The nearest word on the left with a colon or an equals sign after it, "" for none."""
    for i in range(at - 2, -1, -1):
        if pieces[i].kind == "word" and pieces[i + 1].text in (":", "="):
            if i > 1 and pieces[i - 1].text in OPERATORS + DASHES:
                continue
            if pieces[i].text.lower() not in FILLERS:
                return pieces[i].text
    return ""


def _named(pieces: Sequence[_Piece], at: int, head: str, piece: _Piece) -> Iterator[Claim]:
    """Claims about the word at `at`, and about those listed with it: `Z1, H1 (B, H)`."""
    word = pieces[at].text
    operand = at > 1 and pieces[at - 1].text in OPERATORS + DASHES
    if operand and head and head != word:
        yield Claim((head,), piece.shape, False)
        return
    if head and head != word and not exact_name(word.removesuffix(".T")):
        yield Claim((head, word), piece.shape, False)
        return
    yield Claim((word,), piece.shape, not (piece.loose or operand))
    i = at - 1
    while i > 0 and (pieces[i].text in (",", "/", "&") or pieces[i].text.lower() == "and"):
        if pieces[i - 1].kind != "word" or not exact_name(pieces[i - 1].text):
            break
        yield Claim((pieces[i - 1].text,), piece.shape, False)
        i -= 2
