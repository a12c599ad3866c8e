"""A server on this machine that answers as Kaggle and its storage do, faults included."""

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from itertools import pairwise
from threading import Thread

TOKEN = "good"


@dataclass
class StandIn:
    """What the server has and does; tests change it while it runs.

    Attributes:
        address: Where it is.
        files: Name → content.
        listed: Name → size in the list of files, where it is not that of the content.
        faults: Name → what goes wrong with the next downloads, in turn: `cut` (half of what was
            asked for), `expired`, `forbidden` or `busy` (an error page), `wrong` (other bytes),
            `silent` (wrong bytes, and no hash that would tell).
        always: Name → what goes wrong with every download.
        refusal: What is said instead of answering: nothing, `rules`, `empty`, the page of a
            `portal`, or `busy` once.
        looks_before_going_on: Whether the storage begins anew when a file has changed.
        page: How many files a page of the list has.
        asked: What was asked for, in order: a method of the interface and a file; or `GET`, a file,
            where the answer began, and the signature of the address.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    listed: dict[str, int] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    page: int = 3
    looks_before_going_on: bool = True
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def downloads(self) -> list[str]:
        """Return the names of files that were asked of the storage."""
        return [question[1] for question in self.asked if question[0] == "GET"]


@contextmanager
def running() -> Iterator[StandIn]:
    """Run a server on a free port while the block runs."""
    known = StandIn()

    class Handler(_Handler):
        stand_in = known

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    stand_in: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        known = self.stand_in
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        method, name = self.path.rpartition("/")[2], body.get("fileName", "")
        known.asked.append((method, name))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._json(401, {"code": 401, "message": "Unauthenticated"})
        elif known.refusal == "busy":
            known.refusal = ""
            self._answer(503, b"<html>busy</html>")
        elif known.refusal == "rules":
            self._json(403, {"code": 403, "message": "You must accept this competition's rules"})
        elif known.refusal == "portal":
            self._answer(200, b"<html>Welcome to our network</html>")
        elif known.refusal == "empty":
            self._answer(403, b"")
        elif method == "ListDataFiles":
            self._list(body)
        elif name not in known.files:
            self._json(404, {"code": 404, "message": "File not found"})
        else:
            signature = len(known.asked)
            self._answer(302, b"", {"Location": f"/storage/{name}?signature={signature}"})

    def _list(self, body: dict[str, str]) -> None:
        known = self.stand_in
        names = sorted(known.files)
        start = int(body.get("pageToken") or 0)
        following = start + known.page
        files = [
            {"name": name, "totalBytes": known.listed.get(name, len(known.files[name]))}
            for name in names[start:following]
        ]
        token = str(following) if following < len(names) else ""
        self._json(200, {"files": files, "nextPageToken": token})

    def do_GET(self) -> None:
        known = self.stand_in
        name = self.path.rpartition("/")[2].partition("?")[0]
        content = known.files[name]
        tag = f'"{hashlib.md5(content).hexdigest()}"'
        start = int((self.headers["Range"] or "bytes=0-")[6:-1])
        if known.looks_before_going_on and self.headers["If-Range"] not in (None, tag):
            start = 0
        known.asked.append(("GET", name, str(start), self.path.rpartition("=")[2]))
        fault = known.always.get(name) or next(iter(known.faults.get(name, [])), "")
        if fault and name not in known.always:
            known.faults[name].pop(0)
        pages = {"expired": 400, "forbidden": 403, "busy": 503}
        # A signed address with a login in the headers is refused, and would give the login away.
        if fault in pages or self.headers["Authorization"]:
            self._answer(pages.get(fault, 400), b"<Error><Code>ExpiredToken</Code></Error>" * 5)
            return
        self._send(content, start, tag, fault)

    def _send(self, content: bytes, start: int, tag: str, fault: str) -> None:
        part = content[start:]
        headers = {"ETag": tag, "Accept-Ranges": "bytes"}
        if fault != "silent":
            md5 = base64.b64encode(hashlib.md5(content).digest()).decode()
            headers["x-goog-hash"] = f"crc32c=AAAAAA==,md5={md5}"
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if fault in ("wrong", "silent"):
            part = bytes(byte ^ 1 for byte in part[:-100]) + part[-100:]
        sent = part[: len(part) // 2] if fault == "cut" else part
        self._answer(206 if start else 200, sent, headers, len(part))
        self.close_connection = fault == "cut"

    def _json(self, status: int, content: object) -> None:
        self._answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _answer(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        length: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of some files."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def cut(content: bytes, pieces: int) -> list[bytes]:
    """Cut bytes into pieces of about the same size."""
    bounds = [len(content) * number // pieces for number in range(pieces + 1)]
    return [content[a:b] for a, b in pairwise(bounds)]
