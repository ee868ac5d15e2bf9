"""Serve the reviewers' pages on a port of 127.0.0.1, under a secret address."""

from __future__ import annotations

import getpass
import html
import secrets
import socket
import tempfile
import webbrowser
from collections.abc import Callable
from pathlib import Path

from grader.errors import CallerError
from grader.review.folder import Folder

HOST = "127.0.0.1"
MISSING = (
    "reviewing needs Starlette and uvicorn, which are not installed here; "
    "install the extra: pip install 'backprop-grader[review]'"
)
FORWARD = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<title>Review</title>
<meta http-equiv="refresh" content="0; url={address}">
<a href="{address}">Open the review</a>
"""


def serve(
    folder: Folder, *, port: int, reviewer: str, browser: bool, tell: Callable[[str], None]
) -> None:
    """Serve `folder` until interrupted; `tell` hears the address when it can be opened.

    Raises `CallerError` when the extra is not installed or the port is taken.
    """
    try:
        import uvicorn

        from grader.review.server import desk
    except ModuleNotFoundError as error:
        raise CallerError(MISSING) from error
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise CallerError(f"port {port} cannot be used: {error.strerror}") from error
        listener.listen()
        host, token = f"{HOST}:{listener.getsockname()[1]}", secrets.token_urlsafe(32)
        address = f"http://{host}/{token}/"
        config = uvicorn.Config(
            desk(folder, host, token, reviewer or login()),
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
        )
        tell(address)
        with tempfile.TemporaryDirectory(prefix="grader-review-") as private:
            if browser and not open_privately(address, Path(private)):
                tell("No browser could be started; open that address yourself.")
            try:
                uvicorn.Server(config).run(sockets=[listener])
            except KeyboardInterrupt:
                return  # that is how one leaves


def open_privately(address: str, folder: Path) -> bool:
    """Open `address` by way of a file that only its owner reads.

    Everybody on a machine sees the arguments of its processes; the token is not for everybody.
    """
    page = folder / "open.html"
    page.touch(mode=0o600)
    page.write_text(FORWARD.format(address=html.escape(address, quote=True)), "utf-8")
    return webbrowser.open(page.as_uri())


def login() -> str:
    """Return the name of whoever started this, "" where the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
