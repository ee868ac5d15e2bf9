"""What stands around a hostile run to see whether anything got out: files, listeners, secrets."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import select
import shutil
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DECOYS = ("result.json", "report.html")
"""Names of results that a cohort's own folder does not have: nobody else writes them there."""

LEFTOVERS = (
    *("a29-filler", "a30-hidden", "a32_message", "a40-was-here", "pwned", "slipped-"),
    *("A44", "A47", "a23-survivor"),
)
"""Beginnings of the names that the attacks give to what they leave."""

PRIVATE_IDS = 0x4000_0000
"""Under root, children have user numbers from here on."""


class Listener:
    """TCP, UDP and an abstract socket under one number, on this machine only."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._unix = socket.socket(socket.AF_UNIX)
        self._unix.bind(f"\0a21-{self.port}")
        self._unix.listen()
        self._stop_reader, self._stop_writer = os.pipe()
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._thread.start()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._stop_writer, b".")
        self._thread.join()
        for end in (self._tcp, self._udp, self._unix):
            end.close()
        for descriptor in (self._stop_reader, self._stop_writer):
            os.close(descriptor)

    def answers(self) -> bool:
        """Whether it would have heard: asks it, on TCP and UDP."""
        before = len(self.heard)
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(b"GET /asked HTTP/1.0\r\n\r\n")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"asked", ("127.0.0.1", self.port))
            connection.settimeout(5)
            with contextlib.suppress(OSError):
                connection.recv(1)
        for _ in range(100):
            if len(self.heard) >= before + 2:
                return True
            select.select([], [], [], 0.02)
        return False

    def _listen(self) -> None:
        while True:
            ends = [self._tcp, self._udp, self._unix, self._stop_reader]
            ready = select.select(ends, [], [])[0]
            if self._stop_reader in ready:
                return
            if self._udp in ready:
                self.heard.append(f"udp {self._udp.recv(100)!r}")
            for kind, end in (("tcp", self._tcp), ("unix", self._unix)):
                if end in ready:
                    connection, _ = end.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.settimeout(1)
                        self.heard.append(f"{kind} {connection.recv(200)!r}")


@dataclass
class Surroundings:
    """Folders that everybody may write to, a secret file, and what they looked like before."""

    root: Path
    tokens: dict[str, str] = field(default_factory=dict)
    before: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    @contextlib.contextmanager
    def made(cls) -> Iterator[Surroundings]:
        """Below /tmp and not below pytest's own folder, which only its owner may enter."""
        here = cls(Path(tempfile.mkdtemp(prefix="hostile-", dir="/tmp")))
        try:
            here.root.chmod(0o755)
            for name in ("cohort", "scratch", "out", "cwd", "tmp", "home"):
                (here.root / name).mkdir()
                (here.root / name).chmod(0o777)
            here.tokens = {
                where: f"CANARY-{where}-{secrets.token_hex(8)}"
                for where in ("environment", "arguments", "file")
            }
            here.canary_file.write_text(f"secret = {here.tokens['file']}\n")
            here.canary_file.chmod(0o644)
            for name in DECOYS:
                (here.out / name).write_text(f"the {name} of somebody else\n")
                (here.out / name).chmod(0o666)
            yield here
        finally:
            shutil.rmtree(os.fsencode(here.root), ignore_errors=True)

    @property
    def cohort(self) -> Path:
        return self.root / "cohort"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def canary_file(self) -> Path:
        return self.root / "key.txt"

    def knobs(self, port: int) -> dict[str, object]:
        """The constants of the fixtures that name the witnesses."""
        return {"PORT": port, "CANARY_FILE": str(self.canary_file), "RESULTS_DIR": str(self.out)}

    def environment(self) -> dict[str, str]:
        """The judge's: temporary folder and home under watch, a canary in it."""
        package = Path(__file__).resolve().parents[2]
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "PYTHONPATH": str(package),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self.root / "tmp"),
            "HOME": str(self.root / "home"),
            "SECRET_TOKEN": self.tokens["environment"],
        }

    def remember(self) -> None:
        """Take down what everything looks like before the run."""
        self.before = self._looks()

    def changes(self) -> list[str]:
        """What is not as it was before, outside of the results."""
        changed = []
        for place, after in self._looks().items():
            before = self.before[place]
            for name in sorted({*before, *after}):
                if before.get(name) != after.get(name):
                    old, new = before.get(name, "absent"), after.get(name, "absent")
                    changed.append(f"{place}: {name!r} was {old}, is {new}")
        return changed

    def _looks(self) -> dict[str, dict[str, str]]:
        looks = {n: _tree(self.root / n) for n in ("cohort", "cwd", "tmp", "home", "scratch")}
        looks["out"] = {name: _look(self.out / name) for name in DECOYS}
        looks["key"] = {"key.txt": _look(self.canary_file)}
        for place in ("/", "/tmp", "/var/tmp", "/dev/shm", str(Path.cwd())):
            looks[place] = _leftovers(Path(place))
        for name in ("shm", "msg", "sem"):
            looks[name] = _system_five(name)
        return looks


def _tree(folder: Path) -> dict[str, str]:
    """Every entry below `folder`, by its relative path (bytes that are not UTF-8 included)."""
    return {str(path.relative_to(folder)): _look(path) for path in sorted(folder.rglob("*"))}


def _look(path: Path) -> str:
    """Type, mode, size, time and content of one entry, links not followed."""
    try:
        status = path.lstat()
    except OSError:
        return "absent"
    text = f"{status.st_mode:o} {status.st_uid}"
    if stat.S_ISREG(status.st_mode):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        text += f" {status.st_size} bytes {status.st_mtime_ns} {digest}"
    return text


def _leftovers(folder: Path) -> dict[str, str]:
    """Entries of a shared folder that an attack could have made."""
    found = {}
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            with contextlib.suppress(OSError):
                status = entry.lstat()
                if entry.name.startswith(LEFTOVERS) or status.st_uid >= PRIVATE_IDS:
                    found[entry.name] = f"{status.st_mode:o} {status.st_uid} {status.st_mtime_ns}"
    return found


def _system_five(kind: str) -> dict[str, str]:
    """System V shared memory, queues and semaphores; other programs have theirs."""
    with contextlib.suppress(OSError):
        rows = Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
        own = [row.split() for row in rows]
        return {row[1]: " ".join(row[:3]) for row in own if _is_ours(row)}
    return {}


def _is_ours(row: list[str]) -> bool:
    """Made by this user or by a child's user; the creator's number stands third from the end."""
    numbers = {int(word) for word in row if word.isdigit()}
    return os.getuid() in numbers or any(number >= PRIVATE_IDS for number in numbers)
