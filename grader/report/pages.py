"""The template environment, and what makes a page self-contained and inert.

Every text a template places goes through `visible` and then through autoescape;
neither can be forgotten, because the environment does both. Style and script
are inline and admitted by their SHA-256; the page may load nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from grader.report.escape import clip, prose, visible
from grader.report.figures import plural, points, share


@cache
def environment() -> Environment:
    """The one environment of this process; building it compiles nothing yet."""
    made = Environment(
        loader=ChoiceLoader(
            [PackageLoader("grader.report", "templates"), PackageLoader("grader.report", "vendor")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters.update(clip=clip, prose=prose, points=points, share=share, plural=plural)
    return made


def render_page(
    template: str, *, styles: Sequence[str], scripts: Sequence[str], context: Mapping[str, Any]
) -> str:
    """One HTML document from `template`, with the files `styles` and `scripts` inlined."""
    css, javascript = _assets(*styles), _assets(*scripts)
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_digest(css)}'",
            f"script-src '{_digest(javascript)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    page = {"policy": Markup(policy), "style": Markup(css), "script": Markup(javascript)}
    return environment().get_template(template).render({**context, "page": page})


def _shown(value: Any) -> Any:
    """What the environment places for `value`; markup was made visible where it was made."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _assets(*names: str) -> str:
    """Several files as one text."""
    made = environment()
    assert made.loader is not None
    return "".join(made.loader.get_source(made, name)[0] for name in names)


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
