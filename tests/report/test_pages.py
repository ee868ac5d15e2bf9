"""A page is whole, inert, and admits its own style and script alone."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from grader.records import Result
from grader.report import render_report
from grader.report.escape import HIDDEN
from tests.report.rendered import Page

FIXTURES = ("usual", "pictured", "hostile", "undecided", "unloadable")


@pytest.mark.parametrize("audience", ["interviewer", "candidate"])
@pytest.mark.parametrize("name", FIXTURES)
def test_page_is_whole_and_inert(name: str, audience: str, request: pytest.FixtureRequest) -> None:
    html = render_report(request.getfixturevalue(name), audience=audience)  # type: ignore[arg-type]
    html.encode("utf-8")
    assert not HIDDEN.search(html)
    page = Page(html)
    names = [tag for tag, _ in page.tags]
    assert (names.count("script"), names.count("style"), names.count("h1")) == (1, 1, 1)
    assert names.count("main") == 1
    assert not {"img", "iframe", "object", "form", "base"} & set(names)
    for tag, attributes in page.tags:
        assert not [a for a in attributes if a.startswith("on") or a == "style"], tag
        target = attributes.get("href") or attributes.get("src") or "#"
        assert target.startswith(("#", "data:")), target
    assert len(page.ids) == len(set(page.ids))
    assert page.fragments <= set(page.ids)
    for _, attributes in page.tags:
        for name_of in ("aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name_of) or "").split()) <= set(page.ids)


def test_policy_admits_exactly_the_inline_style_and_script(usual: Result) -> None:
    html = render_report(usual, audience="interviewer")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy and policy[1].startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        inline = re.search(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert inline
        digest = base64.b64encode(hashlib.sha256(inline[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
