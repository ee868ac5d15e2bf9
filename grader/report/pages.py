"""The template environment, and what makes a page self-contained and inert.

Every text a template places goes through `visible` and then through autoescape;
neither can be forgotten, because the environment does both. Style and script
are inline and admitted by their SHA-256; the page may load nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import unescape
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from grader.report.escape import clip, prose, visible
from grader.report.numbers import plural, points, share, tenths

PACKAGE = "grader.report"
POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]*)"')


@cache
def environment(package: str = PACKAGE) -> Environment:
    """Return the environment of a package's pages, which may use ours; it compiles nothing yet."""
    templates = Environment(
        loader=ChoiceLoader(
            [
                *(PackageLoader(p) for p in dict.fromkeys((package, PACKAGE))),
                PackageLoader(PACKAGE, "vendor"),
            ]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_make_visible,
    )
    templates.filters.update(clip=clip, prose=prose, plural=plural)
    templates.filters.update(points=points, tenths=tenths, share=share)
    return templates


def compile_pages(package: str = PACKAGE) -> None:
    """Compile the templates ahead of the first page, while something else is waited for."""
    templates = environment(package)
    for name in templates.list_templates(extensions=["html"]):
        templates.get_template(name)


def render_page(
    template: str,
    *,
    styles: Sequence[str],
    scripts: Sequence[str],
    context: Mapping[str, Any],
    package: str = PACKAGE,
    asks_home: bool = False,
) -> str:
    """Return one HTML document from `template`, with the files `styles` and `scripts` inlined.

    `package` holds the template where it is another room's. A page that `asks_home` may
    send requests to where it came from; others send none.
    """
    page = _page(package, styles, scripts, asks_home=asks_home)
    return environment(package).get_template(template).render({**context, "page": page})


def page_pieces(
    template: str, *, styles: Sequence[str], scripts: Sequence[str], context: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the text of `render_page` in pieces: a large page is nowhere whole in memory."""
    page = _page(PACKAGE, styles, scripts, asks_home=False)
    return environment(PACKAGE).get_template(template).generate({**context, "page": page})


def _page(
    package: str, styles: Sequence[str], scripts: Sequence[str], *, asks_home: bool
) -> dict[str, Markup]:
    """Return what every page holds: its style, its script, and a policy that admits only these."""
    css, javascript = _assets(package, *styles), _assets(package, *scripts)
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_digest(css)}'",
            f"script-src '{_digest(javascript)}'",
            *(["connect-src 'self'"] if asks_home else []),
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return {"policy": Markup(policy), "style": Markup(css), "script": Markup(javascript)}


def _make_visible(value: Any) -> Any:
    """Return `value` as the environment places it; markup was made visible at its origin."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _assets(package: str, *names: str) -> str:
    """Return several files as one text."""
    templates = environment(package)
    assert templates.loader is not None
    return "".join(templates.loader.get_source(templates, name)[0] for name in names)


def policy_of(page: str) -> str:
    """Return the policy that a page states in itself, for a server to send as a header."""
    match = POLICY.search(page)
    assert match is not None, "every page states its policy"
    return unescape(match[1])


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
