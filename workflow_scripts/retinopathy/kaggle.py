"""Kaggle's interface, as far as fetching the files of one competition needs it.

Two calls: the list of files, and the signed address of one of them, which expires. What the calls
are named and how one logs in follows Kaggle's own client (kaggle 2.2, kagglesdk 0.1).
"""

import base64
import http.client
import json
import os
import re
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from retinopathy import downloads
from retinopathy.downloads import Passing
from retinopathy.errors import Explained

COMPETITION = "diabetic-retinopathy-detection"
PAGE = f"https://www.kaggle.com/c/{COMPETITION}"
SETTINGS = "https://www.kaggle.com/settings"

ARCHIVES = {
    "train": tuple(f"train.zip.{number:03d}" for number in range(1, 6)),
    "test": tuple(f"test.zip.{number:03d}" for number in range(1, 8)),
}
"""Set → the parts of its archive, in order."""

LABELS = "trainLabels.csv.zip"
SOLUTION = "retinopathy_solution.csv"
"""Labels of the test set: columns image, level and Usage."""

_ADDRESS = "https://api.kaggle.com"
_PAGE_SIZE = 100
_LARGEST_ANSWER = 10_000_000  # bytes; were a file itself the answer, it would not fit into memory


class Missing(Explained):
    """A file that the competition does not have."""


@dataclass(frozen=True)
class Client:
    """Somebody who is logged in to Kaggle.

    Attributes:
        authorisation: The header that says who asks.
        address: Where Kaggle's interface is.
        pause: Half the first pause after a failure, seconds.
    """

    authorisation: str
    address: str = _ADDRESS
    pause: float = 1.0

    def sizes(self, say: Callable[[str], None]) -> dict[str, int]:
        """Return name → size, bytes, of the competition's files.

        Raises:
            Explained: Kaggle refuses to tell, or cannot be reached.
        """
        found: dict[str, int] = {}
        page = ""
        while True:
            files, page = self._page(page, say)
            found |= {file["name"]: int(file["totalBytes"]) for file in files}
            if not page:
                return found

    def download(self, name: str, target: Path, say: Callable[[str], None]) -> None:
        """Download a file, or what is missing of it, to `target`.

        Raises:
            Explained: Kaggle refuses it, has no such file, or the download was cut for good.
        """
        try:
            downloads.fetch(lambda: self._storage_address(name), target, self.pause, say)
        except Passing as error:
            raise Explained(
                f"the download of {name} was cut, and trying again did not mend it",
                expected=f"the whole of {name}",
                received=f"{downloads.received(target):,} bytes; {error}",
                hint="run again later, which goes on where it stopped; or download it at "
                f"{PAGE}/data to {target.parent / name}",
            ) from error

    def _page(self, page: str, say: Callable[[str], None]) -> tuple[list[dict[str, Any]], str]:
        """Return one page of the list of files, and the name of the next page or an empty text."""
        question = {"competitionName": COMPETITION, "pageSize": _PAGE_SIZE, "pageToken": page}
        try:
            answer = downloads.persist(partial(self._list, question), self.pause, say)
        except Passing as error:
            raise Explained(
                "Kaggle cannot be reached",
                expected=f"an answer from {self.address}",
                received=error,
                hint=f"run again where there is a network, or download the files at {PAGE}/data",
            ) from error
        return answer["files"], answer.get("nextPageToken") or ""

    def _list(self, question: Mapping[str, object]) -> dict[str, Any]:
        """Ask for a page of the list of files.

        Raises:
            Passing: There is no list this time.
            Explained: The answer is no.
        """
        _, answer = self._call("ListDataFiles", question)
        if "files" not in answer:  # The page of a network that wants a login of its own, say.
            raise Passing("what answers for Kaggle gives no list of files")
        return answer

    def _storage_address(self, name: str) -> str:
        """Return a fresh signed address of a file.

        Raises:
            Passing: This time it failed.
            Explained: It will always fail.
        """
        # ASSUME: the answer is a redirect, which is what Kaggle's own client declares it to be.
        question = {"competitionName": COMPETITION, "fileName": name}
        location, _ = self._call("DownloadDataFile", question)
        if not location:
            raise Passing(f"Kaggle does not say where {name} is")
        return urllib.parse.urljoin(self.address, location)

    def _call(self, method: str, question: Mapping[str, object]) -> tuple[str, dict[str, Any]]:
        """Put a question to Kaggle; return where it sends one on to, and what it says.

        Raises:
            Passing: There is no answer, or none of use, this time.
            Explained: The answer is no.
        """
        request = urllib.request.Request(
            f"{self.address}/v1/competitions.CompetitionApiService/{method}",
            data=json.dumps(question).encode(),
            headers={
                "Authorization": self.authorisation,
                "Content-Type": "application/json",
                "User-Agent": "retinopathy",
            },
        )
        with downloads.ask(request) as answer:
            try:
                content = _json_object(answer.read(_LARGEST_ANSWER))
            except (OSError, http.client.HTTPException) as error:
                raise Passing(f"{request.host}: {error}") from error
        code = content.get("code")
        status = code if isinstance(code, int) and code else answer.status
        if status >= http.client.BAD_REQUEST:
            said = f"{status} {content.get('message') or answer.reason}"
            raise _refusal(status, said, str(question.get("fileName") or "the list of files"))
        return answer.headers["Location"] or "", content


def connect() -> Client:
    """Return a client for whoever runs this process.

    `KAGGLE_API_ADDRESS` names another server than Kaggle's, such as the stand-in of the tests.

    Raises:
        Explained: No login is found.
    """
    address = os.environ.get("KAGGLE_API_ADDRESS", _ADDRESS)
    return Client(authorisation(os.environ, Path.home()), address)


def authorisation(environment: Mapping[str, str], home: Path) -> str:
    """Return the header that logs in, from the places where Kaggle's own client looks.

    In this order: a token in `KAGGLE_API_TOKEN` (or in the file that it names) or in
    ~/.kaggle/access_token; a user's name and key in `KAGGLE_USERNAME` and `KAGGLE_KEY` or in
    kaggle.json, in `KAGGLE_CONFIG_DIR`, ~/.kaggle or ~/.config/kaggle.

    Raises:
        Explained: There is no login, or what there is cannot be one.
    """
    if token := _token(environment, home):
        # Python's own complaint about such a header would show the token.
        if not re.fullmatch("[!-~]+", token):
            raise _no_login("a token with blanks, line breaks or letters beyond ASCII in it")
        return f"Bearer {token}"
    name, key = environment.get("KAGGLE_USERNAME"), environment.get("KAGGLE_KEY")
    if not (name and key):
        name, key = _name_and_key(environment, home)
    return f"Basic {base64.b64encode(f'{name}:{key}'.encode()).decode()}"


def _token(environment: Mapping[str, str], home: Path) -> str:
    """Return a token, or an empty text."""
    given = environment.get("KAGGLE_API_TOKEN", "").strip()
    if given and not _is_file(given):
        return given
    named = [Path(given)] if given else []
    usual = [home / ".kaggle" / name for name in ("access_token", "access_token.txt")]
    files = (path for path in named + usual if path.is_file())
    texts = (path.read_text(encoding="utf-8", errors="replace").strip() for path in files)
    return next((text for text in texts if text), "")


def _is_file(text: str) -> bool:
    """Tell whether a text is the path of a file; a long token cannot even be the name of one."""
    try:
        return Path(text).is_file()
    except OSError:
        return False


def _name_and_key(environment: Mapping[str, str], home: Path) -> tuple[str, str]:
    """Return name and key from the first kaggle.json that there is.

    Raises:
        Explained: There is none, or it is not of that kind.
    """
    given = environment.get("KAGGLE_CONFIG_DIR")
    further = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "kaggle"
    for folder in [Path(given)] if given else [home / ".kaggle", further]:
        path = folder / "kaggle.json"
        if path.is_file():
            content = _json_object(path.read_bytes())
            if not (content.get("username") and content.get("key")):
                raise _no_login(f"{path} without them")
            return content["username"], content["key"]
    raise _no_login("none of them")


def _no_login(received: str) -> Explained:
    return Explained(
        "no login for Kaggle",
        expected="KAGGLE_API_TOKEN, ~/.kaggle/access_token, KAGGLE_USERNAME and KAGGLE_KEY, or "
        "kaggle.json with username and key",
        received=received,
        hint=f"create a token at {SETTINGS} and accept the rules at {PAGE}/rules; or download the "
        f"files at {PAGE}/data by hand, as the README says",
    )


def _refusal(status: int, said: str, file: str) -> Exception:
    """Return the error that tells why Kaggle did not give what it was asked for."""
    if status == http.client.UNAUTHORIZED:
        return Explained(
            "Kaggle does not know this login",
            expected="a valid token, or a valid name and key",
            received=said,
            hint=f"create a new token at {SETTINGS}",
        )
    if status == http.client.FORBIDDEN:
        return Explained(
            f"Kaggle does not give {file} to this account",
            expected="an account that has accepted the rules of the competition",
            received=said,
            hint=f"log in and accept the rules at {PAGE}/rules (Kaggle may ask to verify a "
            "telephone number first), then run again",
        )
    if status == http.client.NOT_FOUND:
        return missing(file, said)
    return Passing(f"Kaggle answers {said}")


def missing(file: str, received: str) -> Missing:
    """Return the error for a file that the competition does not have."""
    return Missing(
        f"the competition has no {file}",
        expected=f"one of the files at {PAGE}/data",
        received=received,
        hint=f"look for it at {PAGE}/data; if it went by another name, download it by hand, as the "
        "README says",
    )


def _json_object(text: bytes) -> dict[str, Any]:
    """Return a JSON object, an empty one for anything else."""
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
