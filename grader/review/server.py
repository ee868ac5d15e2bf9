"""The reviewers' server: pages and changes, for whoever has the address, on this machine.

The address holds a token that nobody guesses, so no cookie is needed, and a page of another
site has nothing to send along. A request has to name the very host that was bound (a name
that is rebound to 127.0.0.1 does not), and a change has to come from our own page.
"""

from __future__ import annotations

import hmac
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from grader.errors import CallerError
from grader.report.pages import policy_of
from grader.review.folder import Folder, Reviewed
from grader.review.forms import read_request
from grader.review.pages import (
    ReviewRow,
    graded_mark,
    index_page,
    index_row,
    state,
    submission_page,
)
from grader.review.store import Conflict

MOST_BYTES = 64 << 10
"""Of a change: the longest texts of a form, and room to spare."""

SAFE_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
NOTHING = "default-src 'none'; frame-ancestors 'none'"
ELSEWHERE = "This is not the address that `grader view --review` printed. Open that one.\n"
FOREIGN = "Refused: this request comes from another site.\n"


class AccessControl:
    """Lets through what names our host, knows the token and comes from no other site."""

    def __init__(self, app: ASGIApp, host: str, token: str) -> None:
        self.app, self.host, self.token = app, host, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope)
        refusal = self._refusal(request)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        headers = request.headers
        if headers.getlist("host") != [self.host]:
            return PlainTextResponse(ELSEWHERE, 421, SAFE_HEADERS)
        token = request.url.path.split("/")[1].encode()
        if not hmac.compare_digest(token, self.token.encode()):
            return PlainTextResponse(ELSEWHERE, 404, SAFE_HEADERS)
        origin = f"http://{self.host}"
        reading = request.method in ("GET", "HEAD")
        origins = headers.getlist("origin")
        if (origins or not reading) and origins != [origin]:
            return PlainTextResponse(FOREIGN, 403, SAFE_HEADERS)
        site = headers.get("sec-fetch-site", "none")
        opened = reading and headers.get("sec-fetch-mode") == "navigate"
        opened = opened and headers.get("sec-fetch-dest") == "document"
        if site not in ("same-origin", "none") and not opened:
            return PlainTextResponse(FOREIGN, 403, SAFE_HEADERS)
        return None


class Desk:
    """The pages of one folder of results."""

    def __init__(self, folder: Folder, token: str, reviewer: str) -> None:
        self.folder, self.reviewer = folder, reviewer
        self.home = f"/{token}/"
        self._rows: dict[str, tuple[tuple[int, int], ReviewRow]] = {}

    def rows(self) -> list[ReviewRow]:
        """Return the rows by name. A row is made anew when its result or a change is new."""
        numbers = self.folder.store.last_numbers()
        for id, path in self.folder.paths.items():
            stamp = (path.stat().st_mtime_ns, numbers.get(id, 0))
            if self._rows.get(id, ((), None))[0] != stamp:
                self._rows[id] = (stamp, self._row(id))
        return [self._rows[id][1] for id in self.folder.paths]

    def _row(self, id: str) -> ReviewRow:
        try:
            return index_row(self.folder.reviewed(id))
        except CallerError:  # its rubric is not here: the others can be walked all the same
            document = self.folder.result(id)
            return index_row(Reviewed(id, document, {}, document))

    async def index(self, request: Request) -> Response:
        rows = await run_in_threadpool(self.rows)
        title = self.folder.out.resolve().name
        return page(await run_in_threadpool(index_page, rows, title, self.home))

    async def submission(self, request: Request) -> Response:
        id = self._id(request)
        return page(
            await run_in_threadpool(submission_page, self.folder, id, self.home, self.reviewer)
        )

    async def report(self, request: Request) -> Response:
        """Return the full report, sandboxed: its script cannot ask for a change."""
        path = self.folder.paths[self._id(request)].with_name("report.html")
        if not path.is_file():
            raise CallerError("there is no report.html beside this result")
        text = await run_in_threadpool(path.read_text, "utf-8")
        return page(text, more="; sandbox allow-scripts")

    async def changes(self, request: Request) -> Response:
        """Return what reviewers say now; 204 when it is what the page knows already."""
        id = self._id(request)
        known = (request.query_params.get("after"), request.query_params.get("graded"))
        if known == await run_in_threadpool(self._now, id):
            return Response(status_code=204, headers=SAFE_HEADERS)
        return answer(await run_in_threadpool(state, self.folder, id), 200)

    def _now(self, id: str) -> tuple[str, str]:
        last = self.folder.store.last_numbers().get(id, 0)
        return str(last), graded_mark(self.folder.result(id))

    async def change(self, request: Request) -> Response:
        """Keep one change. It is on the disk when this answers."""
        id = self._id(request)
        if request.headers.get("content-type") != "application/json":
            return answer({"error": "a change is sent as application/json"}, 415)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return answer({"error": "that is too long"}, 413)
        order = read_request(body)
        try:
            await run_in_threadpool(self.folder.save, id, order)
            status = 201
        except Conflict:
            status = 409
        return answer({"state": await run_in_threadpool(state, self.folder, id)}, status)

    def _id(self, request: Request) -> str:
        id = str(request.path_params["id"])
        if id not in self.folder.paths:
            raise CallerError(f"there is no submission {id!r} in this folder")
        return id


def desk(folder: Folder, host: str, token: str, reviewer: str) -> ASGIApp:
    """Return the application for `folder`, at ``http://<host>/<token>/``."""
    pages = Desk(folder, token, reviewer)
    routes = [
        Route("/{token}/", pages.index),
        Route("/{token}/s/{id}", pages.submission),
        Route("/{token}/s/{id}/changes", pages.changes),
        Route("/{token}/s/{id}/changes", pages.change, methods=["POST"]),
        Route("/{token}/report/{id}", pages.report),
    ]
    app = Starlette(routes=routes, exception_handlers={CallerError: refused, 404: unknown})
    return AccessControl(app, host, token)


def page(text: str, *, more: str = "") -> Response:
    """Return a page with its policy as a header too, which also forbids framing."""
    policy = f"{policy_of(text)}; frame-ancestors 'none'{more}"
    return HTMLResponse(text, headers={**SAFE_HEADERS, "Content-Security-Policy": policy})


def answer(document: dict[str, Any], status: int) -> Response:
    headers = {**SAFE_HEADERS, "Content-Security-Policy": NOTHING}
    return JSONResponse(document, status, headers)


def refused(request: Request, error: Exception) -> Response:
    """Return what cannot be carried out as asked, in words."""
    return answer({"error": str(error)}, 422 if request.method == "POST" else 404)


def unknown(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("There is no such page.\n", 404, SAFE_HEADERS)
