"""Downloads of large files that go on where they were cut, in this process or a later one.

What has arrived lies in a partial file; beside it lies what it is a part of: the identity that the
server gave, the size of the whole and its MD5. A byte is appended only when the answer was seen to
continue the very same object.
"""

import base64
import hashlib
import http.client
import re
import time
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from email.message import Message
from pathlib import Path
from typing import TypeVar

from retinopathy.errors import Explained
from retinopathy.files import read_json, write_json
from retinopathy.progress import Progress

ATTEMPTS = 8
"""Failures in a row, with no progress worth the name between them, after which it is given up."""

CHUNK = 1 << 20
"""Bytes that are read at once; fewer are no progress worth the name."""

SILENCE = 60.0
"""Seconds after which a silent server is given up."""

_LONGEST_PAUSE = 60.0

T = TypeVar("T")


class Passing(Exception):
    """A failure that may pass: it is worth another attempt."""


class _AsItComes(urllib.request.HTTPErrorProcessor):
    """Leaves every answer to the caller: no redirect is followed with the login in its headers."""

    def http_response(
        self, request: urllib.request.Request, response: http.client.HTTPResponse
    ) -> http.client.HTTPResponse:
        del request
        return response

    https_response = http_response


_OPENER = urllib.request.build_opener(_AsItComes)


@dataclass(frozen=True)
class _Whole:
    """What a partial file is a part of.

    Attributes:
        identity: What tells one version of the file from another: its strong entity tag, or when it
            was changed.
        bytes: Size of the whole file.
        md5: MD5 of the whole file, hexadecimal; empty where the server does not say.
    """

    identity: str
    bytes: int
    md5: str


def ask(request: urllib.request.Request) -> http.client.HTTPResponse:
    """Return the answer to a request, whatever its status.

    Raises:
        Passing: There is none.
    """
    try:
        answer: http.client.HTTPResponse = _OPENER.open(request, timeout=SILENCE)
    except (OSError, http.client.HTTPException) as error:
        raise Passing(f"{request.host} cannot be reached: {error}") from error
    return answer


def persist(
    attempt: Callable[[], T],
    pause: float,
    say: Callable[[str], None],
    done: Callable[[], int] = lambda: 0,
) -> T:
    """Repeat an attempt until it ends well, with pauses that double.

    Args:
        attempt: What is tried.
        pause: Half the first pause, seconds.
        say: What takes a line about each failure.
        done: Tells how many bytes there are; after progress, counting begins anew.

    Raises:
        Passing: The last of `ATTEMPTS` failures without progress.
    """
    failures, before = 0, done()
    while True:
        try:
            return attempt()
        except Passing as failure:
            now = done()
            failures = 1 if now - before >= CHUNK else failures + 1
            before = now
            if failures == ATTEMPTS:
                raise
            seconds = min(pause * 2**failures, _LONGEST_PAUSE)
            say(f"{failure}; attempt {failures + 1} of {ATTEMPTS} in {seconds:g} s")
        time.sleep(seconds)


def fetch(
    address: Callable[[], str], partial: Path, pause: float, say: Callable[[str], None]
) -> None:
    """Download a file to `partial`, or what is missing of it.

    Args:
        address: Returns an address to download from, a fresh one for each request: signed addresses
            expire.
        partial: Where the bytes go; what lies there from an earlier call is continued.
        pause: Half the first pause after a failure, seconds.
        say: What takes lines about progress and failures.

    Raises:
        Passing: It failed for good; what has arrived stays for a later call.
        Explained: The bytes are not those that the server's own MD5 tells, twice.
    """
    for _ in range(2):
        persist(lambda: _advance(address, partial, say), pause, say, lambda: received(partial))
        expected, found = _md5s(partial)
        if expected in ("", found):
            return
        say(f"{partial.name}: MD5 {found}, but the storage's is {expected}; starting anew")
        forget(partial)
    raise Explained(
        f"{partial.name} arrived with wrong bytes, twice",
        expected=f"MD5 {expected}",
        received=f"MD5 {found}",
        hint="something between the server and this machine changes what it passes on: try again "
        "through another network",
    )


def received(partial: Path) -> int:
    """Return how many bytes of a file have arrived."""
    return partial.stat().st_size if partial.is_file() else 0


def forget(partial: Path) -> None:
    """Remove a partial file and what is known about it."""
    _beside(partial).unlink(missing_ok=True)
    partial.unlink(missing_ok=True)


def _advance(address: Callable[[], str], partial: Path, say: Callable[[str], None]) -> None:
    """Continue a download with one request.

    Raises:
        Passing: The request failed, or its answer ended early.
    """
    whole = _read(partial)
    start = received(partial) if whole else 0
    if whole and start == whole.bytes:
        return
    headers = {"User-Agent": "retinopathy"}
    if whole and start:
        headers |= {"Range": f"bytes={start}-", "If-Range": whole.identity}
    with ask(urllib.request.Request(address(), headers=headers)) as answer:
        if answer.status == http.client.OK:
            start, whole = 0, _begin(answer.headers, partial)
        elif answer.status != http.client.PARTIAL_CONTENT:
            if answer.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                forget(partial)
            raise Passing(f"{partial.name}: the storage answers {answer.status} {answer.reason}")
        elif whole is None or not _continues(answer.headers, start, whole):
            forget(partial)
            raise Passing(f"{partial.name}: the file has changed; starting anew")
        _append(answer, partial, Progress(say, partial.name, whole.bytes, start))
    if received(partial) != whole.bytes:
        raise Passing(f"{partial.name}: cut after {received(partial)} of {whole.bytes} bytes")


def _begin(headers: Message, partial: Path) -> _Whole:
    """Make room for a whole file and note what it is, before its first byte is written.

    Raises:
        Passing: The server does not say how long it is, so its end could not be told from a cut.
    """
    if not headers.get("Content-Length"):
        raise Passing(f"{partial.name}: the storage does not say how long it is")
    tag = headers.get("ETag") or ""
    # A weak tag tells files of the same meaning apart, not of the same bytes.
    identity = tag if tag and not tag.startswith("W/") else headers.get("Last-Modified") or ""
    hashes = re.search(r"\bmd5=([^,\s]+)", ",".join(headers.get_all("x-goog-hash") or []))
    md5 = base64.b64decode(hashes[1]).hex() if hashes else ""
    whole = _Whole(identity, int(headers["Content-Length"]), md5)
    forget(partial)
    partial.touch()
    write_json(_beside(partial), asdict(whole))
    return whole


def _continues(headers: Message, start: int, whole: _Whole) -> bool:
    """Tell whether an answer brings the rest of the very file that the partial file began."""
    place = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", headers.get("Content-Range") or "")
    identities = {headers.get("ETag"), headers.get("Last-Modified")} - {None}
    return (
        place is not None
        and (int(place[1]), int(place[2])) == (start, whole.bytes)
        and whole.identity in identities
    )


def _append(answer: http.client.HTTPResponse, partial: Path, progress: Progress) -> None:
    """Append an answer's body to the partial file.

    Raises:
        Passing: The connection broke.
    """
    with partial.open("ab") as stream:
        while True:
            try:
                chunk = answer.read(CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise Passing(f"{partial.name}: {error}") from error
            if not chunk:
                return
            stream.write(chunk)
            progress.at(stream.tell())


def _read(partial: Path) -> _Whole | None:
    """Return what a partial file is a part of; None where it cannot be continued."""
    try:
        whole = _Whole(**read_json(_beside(partial)))
    except (OSError, ValueError, TypeError):
        return None
    done = received(partial)
    return whole if done == whole.bytes or (whole.identity and done < whole.bytes) else None


def _beside(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _md5s(partial: Path) -> tuple[str, str]:
    """Return the MD5 that a file that has arrived should have, and the one that it has."""
    with partial.open("rb") as stream:
        found = hashlib.file_digest(stream, "md5").hexdigest()
    whole = _read(partial)
    return whole.md5 if whole else "", found
