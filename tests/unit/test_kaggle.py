"""Logging in to Kaggle, downloads and their faults, and files that have arrived."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kaggle_stand_in import TOKEN, StandIn, cut, running, zipped

from retinopathy import arrivals, kaggle
from retinopathy.arrivals import Arrival, obtain
from retinopathy.disk import expect_room, room_explained
from retinopathy.errors import Explained
from retinopathy.files import sha256
from retinopathy.kaggle import Client, authorisation
from retinopathy.progress import Progress

PART = "train.zip.001"
CONTENT = bytes(number * number % 251 for number in range(100_000))


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with running() as server:
        server.files = dict.fromkeys((*kaggle.ARCHIVES["train"], kaggle.LABELS), CONTENT)
        yield server


class Said(list[str]):
    def __call__(self, line: str) -> None:
        self.append(line)


def got(stand_in: StandIn, folder: Path, name: str = PART, token: str = TOKEN) -> Arrival:
    client = Client(f"Bearer {token}", stand_in.address, pause=0.001)
    return obtain(folder, name, Said(), lambda: client)


def refuse() -> Client:
    raise AssertionError("nobody should have to log in")


def test_a_part_is_downloaded_and_recorded(stand_in: StandIn, tmp_path: Path) -> None:
    arrival = got(stand_in, tmp_path)
    assert (tmp_path / PART).read_bytes() == CONTENT
    assert arrivals.receipt(arrival) == {
        "name": PART,
        "bytes": len(CONTENT),
        "sha256": sha256(tmp_path / PART),
        "origin": "downloaded",
    }
    names = {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")}
    assert names == {PART, f"{PART}.json"}
    assert obtain(tmp_path, PART, Said(), refuse) == arrival


@pytest.mark.parametrize(
    "faults",
    [
        ["cut"],
        ["cut", "cut", "cut"],
        ["expired"],
        ["forbidden"],
        ["cut", "expired", "busy", "cut", "expired"],
        ["wrong"],
        ["cut", "wrong", "cut"],
        ["busy"] * 7,
    ],
    ids="-".join,
)
def test_faults_that_pass_leave_the_right_bytes(
    stand_in: StandIn, tmp_path: Path, faults: list[str]
) -> None:
    stand_in.faults[PART] = faults
    got(stand_in, tmp_path)
    assert (tmp_path / PART).read_bytes() == CONTENT
    assert faults == []


def test_every_attempt_goes_on_with_an_address_of_its_own(
    stand_in: StandIn, tmp_path: Path
) -> None:
    stand_in.faults[PART] = ["cut", "expired", "cut"]
    got(stand_in, tmp_path)
    gets = [question for question in stand_in.asked if question[0] == "GET"]
    assert [int(start) for _, _, start, _ in gets] == [0, 50_000, 50_000, 75_000]
    assert len({signature for *_, signature in gets}) == 4


def test_a_download_that_is_always_cut_goes_on_in_the_next_process(
    stand_in: StandIn, tmp_path: Path
) -> None:
    stand_in.always[PART] = "cut"
    with pytest.raises(Explained, match=r"cut.*\n.*\n.*\n.*/data") as raised:
        got(stand_in, tmp_path)
    assert str(tmp_path / PART) in str(raised.value)
    arrived = (tmp_path / f"{PART}.partial").stat().st_size
    assert 0 < arrived < len(CONTENT)
    stand_in.always.clear()
    stand_in.asked.clear()
    got(stand_in, tmp_path)
    assert (tmp_path / PART).read_bytes() == CONTENT
    assert [q[2] for q in stand_in.asked if q[0] == "GET"] == [str(arrived)]


def test_no_error_page_is_ever_taken_for_the_file(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.faults[PART] = ["cut"]
    stand_in.always[PART] = "expired"
    with pytest.raises(Explained, match="the storage answers 400"):
        got(stand_in, tmp_path)
    assert not [path for path in tmp_path.iterdir() if b"<Error>" in path.read_bytes()]


@pytest.mark.parametrize("looks", [True, False])
def test_a_file_that_changes_between_two_attempts_is_not_patched_together(
    stand_in: StandIn, tmp_path: Path, looks: bool
) -> None:
    stand_in.looks_before_going_on = looks
    stand_in.always[PART] = "cut"
    with pytest.raises(Explained):
        got(stand_in, tmp_path)
    stand_in.always.clear()
    stand_in.files[PART] = CONTENT[::-1]
    got(stand_in, tmp_path)
    assert (tmp_path / PART).read_bytes() == CONTENT[::-1]


def test_wrong_bytes_of_the_right_size_are_refused(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.always[PART] = "wrong"
    with pytest.raises(Explained, match="wrong bytes"):
        got(stand_in, tmp_path)
    assert not (tmp_path / PART).exists()


def test_wrong_bytes_that_no_hash_tells_are_known_by_the_first_arrival(
    stand_in: StandIn, tmp_path: Path
) -> None:
    got(stand_in, tmp_path)
    (tmp_path / PART).unlink()
    stand_in.faults[PART] = ["silent"]
    with pytest.raises(Explained, match="not the file that arrived first"):
        got(stand_in, tmp_path)
    assert not (tmp_path / PART).exists()


def test_a_file_shorter_than_listed_is_refused(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.listed[PART] = len(CONTENT) + 1
    with pytest.raises(Explained, match="not as long"):
        got(stand_in, tmp_path)
    assert not (tmp_path / PART).exists()


@pytest.mark.parametrize(
    ("refusal", "token", "message"),
    [
        ("", "bad", r"does not know this login(.*\n)+.*kaggle\.com/settings"),
        ("rules", TOKEN, r"403 You must accept(.*\n)+.*detection/rules"),
        ("empty", TOKEN, r"403 Forbidden(.*\n)+.*detection/rules"),
    ],
)
def test_a_refusal_is_said_at_once_with_the_address_to_visit(
    stand_in: StandIn, tmp_path: Path, refusal: str, token: str, message: str
) -> None:
    stand_in.refusal = refusal
    with pytest.raises(Explained, match=message):
        got(stand_in, tmp_path, token=token)
    assert len(stand_in.asked) == 1


def test_a_missing_file_is_told_beside_those_that_there_are(
    stand_in: StandIn, tmp_path: Path
) -> None:
    with pytest.raises(kaggle.Missing, match=r"no test\.zip\.001(.*\n)+.*train\.zip\.005"):
        got(stand_in, tmp_path, "test.zip.001")
    del stand_in.files[PART]
    client = Client(f"Bearer {TOKEN}", stand_in.address, pause=0.001)
    with pytest.raises(kaggle.Missing, match="404 File not found"):
        client.download(PART, tmp_path / "x", Said())


def test_a_busy_or_absent_kaggle_is_asked_again_before_it_is_given_up(
    stand_in: StandIn, tmp_path: Path
) -> None:
    stand_in.refusal = "busy"
    assert got(stand_in, tmp_path).bytes == len(CONTENT)
    stand_in.refusal = "portal"
    with pytest.raises(Explained, match=r"cannot be reached(.*\n)+.*no list of files"):
        got(stand_in, tmp_path, kaggle.LABELS)
    nobody = Client("Bearer x", "http://127.0.0.1:9", pause=0.001)
    with pytest.raises(Explained, match="cannot be reached"):
        nobody.sizes(Said())


@pytest.mark.parametrize("listed", ["wrapper", "file"])
def test_a_part_that_arrives_wrapped_is_unwrapped(
    stand_in: StandIn, tmp_path: Path, listed: str
) -> None:
    stand_in.files[PART] = zipped({PART: CONTENT})
    if listed == "file":
        stand_in.listed[PART] = len(CONTENT)
    arrival = got(stand_in, tmp_path)
    assert (tmp_path / PART).read_bytes() == CONTENT
    assert (arrival.bytes, arrival.sha256) == (len(CONTENT), sha256(tmp_path / PART))


@pytest.mark.parametrize("name", [PART, f"{PART}.zip"])
def test_a_placed_part_may_be_wrapped_too(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(zipped({PART: CONTENT}))
    arrival = obtain(tmp_path, PART, Said(), refuse)
    assert (tmp_path / PART).read_bytes() == CONTENT
    assert (arrival.origin, arrival.bytes) == ("placed", len(CONTENT))


def test_a_damaged_wrapper_is_explained_and_leaves_nothing(tmp_path: Path) -> None:
    damaged = bytearray(zipped({PART: CONTENT}, 0))
    damaged[500] ^= 1
    (tmp_path / f"{PART}.zip").write_bytes(damaged)
    with pytest.raises(Explained, match="is damaged"):
        obtain(tmp_path, PART, Said(), refuse)
    assert not (tmp_path / PART).exists()


@pytest.mark.parametrize("number", range(5))
def test_placed_parts_are_used_untouched_and_without_network(tmp_path: Path, number: int) -> None:
    name = kaggle.ARCHIVES["train"][number]
    # The first begins as a zip does, the last ends as one.
    photographs = {f"train/{image}_left.jpeg": os.urandom(500) for image in range(20)}
    content = cut(zipped(photographs), 5)[number]
    (tmp_path / name).write_bytes(content)
    before = (tmp_path / name).stat()
    arrival = obtain(tmp_path, name, Said(), refuse)
    after = (tmp_path / name).stat()
    assert (tmp_path / name).read_bytes() == content
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert (arrival.origin, arrival.bytes) == ("placed", len(content))


def test_a_part_is_compared_with_its_first_arrival(tmp_path: Path) -> None:
    path = tmp_path / PART
    path.write_bytes(CONTENT)
    first = obtain(tmp_path, PART, Said(), refuse)
    os.utime(path, ns=(5, 5))
    touched = obtain(tmp_path, PART, Said(), refuse)
    assert arrivals.receipt(touched) == arrivals.receipt(first)
    path.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(Explained, match="not the file that arrived first"):
        obtain(tmp_path, PART, Said(), refuse)


def test_a_removed_part_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / PART).write_bytes(CONTENT)
    first = obtain(tmp_path, PART, Said(), refuse)
    arrivals.remove(tmp_path / PART)
    assert not (tmp_path / PART).exists()
    assert arrivals.receipt(obtain(tmp_path, PART, Said(), refuse)) == arrivals.receipt(first)


def test_too_little_disk_is_said_before_the_download(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.listed[PART] = 10**18
    with pytest.raises(Explained, match=r"not enough disk to download train\.zip\.001"):
        got(stand_in, tmp_path)
    assert stand_in.downloads() == []


def test_a_disk_that_fills_up_is_explained(tmp_path: Path) -> None:
    with (
        pytest.raises(Explained, match="not enough disk to write"),
        room_explained(tmp_path, "write"),
        Path("/dev/full").open("w") as stream,
    ):
        stream.write("x")
    expect_room(tmp_path, 1, "write")


def test_login_is_looked_for_where_kaggles_own_client_looks(tmp_path: Path) -> None:
    def basic(folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kaggle.json").write_text(json.dumps({"username": name, "key": "k"}))

    with pytest.raises(Explained, match=r"no login(.*\n)+.*kaggle\.com/settings"):
        authorisation({}, tmp_path)
    basic(tmp_path / ".config" / "kaggle", "a")
    assert authorisation({}, tmp_path) == "Basic YTpr"
    basic(tmp_path / ".kaggle", "b")
    assert authorisation({}, tmp_path) == "Basic Yjpr"
    basic(tmp_path / "elsewhere", "c")
    elsewhere = {"KAGGLE_CONFIG_DIR": str(tmp_path / "elsewhere")}
    assert authorisation(elsewhere, tmp_path) == "Basic Yzpr"
    named = elsewhere | {"KAGGLE_USERNAME": "d", "KAGGLE_KEY": "k"}
    assert authorisation(named, tmp_path) == "Basic ZDpr"
    (tmp_path / ".kaggle" / "access_token").write_text("token\n")
    assert authorisation(named, tmp_path) == "Bearer token"
    assert authorisation(named | {"KAGGLE_API_TOKEN": "own"}, tmp_path) == "Bearer own"
    (tmp_path / "file").write_text("filed")
    in_file = {"KAGGLE_API_TOKEN": str(tmp_path / "file")}
    assert authorisation(in_file, tmp_path) == "Bearer filed"


@pytest.mark.parametrize("token", ["two\nlines", "a secret", "non-ASCII\u2026"])
def test_what_cannot_be_a_token_is_refused_without_showing_it(tmp_path: Path, token: str) -> None:
    with pytest.raises(Explained, match="received: a token with") as refused:
        authorisation({"KAGGLE_API_TOKEN": token}, tmp_path)
    assert token not in str(refused.value)


def test_a_token_may_be_longer_than_any_file_name(tmp_path: Path) -> None:
    assert authorisation({"KAGGLE_API_TOKEN": "t" * 5000}, tmp_path) == f"Bearer {'t' * 5000}"


def test_a_broken_kaggle_json_is_named(tmp_path: Path) -> None:
    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / "kaggle.json").write_text("{")
    with pytest.raises(Explained, match=r"received: .*kaggle\.json without them"):
        authorisation({}, tmp_path)


def test_progress_is_told_every_few_seconds_with_the_time_left() -> None:
    said, times = Said(), iter((100.0, 101.0, 106.0, 107.0, 112.0))
    progress = Progress(said, "part", 80_000_000, 20_000_000, lambda: next(times))
    for done in (21, 26, 27, 32):
        progress.at(done * 1_000_000)
    assert said == [
        "part: 26 of 80 MB, 0.9 minutes left",
        "part: 32 of 80 MB, 0.8 minutes left",
    ]
