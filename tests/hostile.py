"""A folder of everything that can be wrong with photographs and labels, and what should come of it.

A few of its photographs are good, in odd formats and under odd names.
"""

import csv
import io
import os
import stat
import unicodedata
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from retinopathy.decoding import MOST_BYTES, Pixels
from tests import formats
from tests.drawn import disc

REFUSED = "path that leaves the folder"
"""Reason that the table of refused entries gives."""

_FRESH = iter(range(10**6))


def fundus() -> Pixels:
    """Draw a photograph that is like no other of this process."""
    rng = np.random.default_rng(next(_FRESH))
    plain = disc(320, 240, 160, 120, 100)
    vessels = plain.copy()
    for _ in range(40):
        walk = np.cumsum(rng.normal(0, 12, (12, 2)), axis=0) + np.array([160, 120])
        width = int(rng.integers(1, 4))
        cv2.polylines(vessels, [walk.astype(np.int32)], False, (120, 60, 30), width)
    return np.asarray(np.where(plain.max(axis=2, keepdims=True) > 60, vessels, plain), np.uint8)


@dataclass
class Hostile:
    """What was built.

    Attributes:
        photographs: The folder.
        labels: The table of labels, columns image and level.
        refused: A table of what was refused from an archive, columns image and reason.
        expected: Image, as the manifest calls it, to status.
        kinds: How many kinds of bad input there are: a truncated PNG file is another than a
            truncated JPEG file.
        rows: Rows of `labels`.
    """

    photographs: Path
    labels: Path
    refused: Path
    expected: dict[str, str] = field(default_factory=dict)
    kinds: int = 0
    rows: list[tuple[str, str]] = field(default_factory=list)

    def bad(self, status: str, image: str, *levels: str) -> None:
        """Expect an image to be rejected, with these levels in the table."""
        self.expected[image] = status
        self.kinds += 1
        self.rows += [(image, level) for level in levels]

    def good(self, image: str, level: str = "0") -> None:
        """Expect an image to be usable."""
        self.expected[image] = "ok"
        self.rows.append((image, level))

    def write(self, name: str, content: bytes) -> Path:
        """Write a file of the folder."""
        path = self.photographs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


def build(folder: Path) -> Hostile:
    """Build the folder and its tables below `folder`."""
    built = Hostile(folder / "photographs", folder / "labels.csv", folder / "refused.csv")
    built.photographs.mkdir(parents=True)
    for part in (_good, _hidden, _content, _pictures, _labels, _names, _places, _system):
        part(built)
    for path, rows in (
        (built.labels, [("image", "level"), *built.rows]),
        (built.refused, [("image", "reason"), ("escaping.jpeg", REFUSED), ("plain_left", REFUSED)]),
    ):
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(rows)
    return built


def _good(built: Hostile) -> None:
    """Photographs in every format, and under names that are hard to keep."""
    ways = {f"colour {name}": way for name, way in formats.COLOURED.items()}
    ways |= {f"grey {name}": way for name, way in formats.GREY.items()}
    for name, way in ways.items():
        built.write(f"{name}.jpeg", way(fundus()))
        built.good(name)
    for kind in ("JPEG", "PNG", "TIFF"):
        built.write(f"turned {kind}.{kind.lower()}", formats.oriented(fundus(), kind, 6))
        built.good(f"turned {kind}", "1")
    names = {
        "plain_left": "deep/er/plain_left.jpeg",
        "plain_right": "plain_right.JPEG",
        "composed \u00e9_left": f"{unicodedata.normalize('NFD', 'composed é_left')}.jpg",
        'comma, "quote"': 'comma, "quote".jpeg',
        "line\nbreak": "line\nbreak.jpeg",
        "blanks": " blanks .jpeg",
        "NA": "NA.Png",
        "007": "007.TIFF",
        "x" * 240: f"{'x' * 240}.jpeg",
        "眼底": "眼底.jpeg",
        "trailing": "trailing.jpeg",
        "two.dots": "two.dots.jpeg",
    }
    for image, name in names.items():
        built.write(name, formats.jpeg(fundus()) + (bytes(999) if image == "trailing" else b""))
        built.good(image, "4")
    elsewhere = built.photographs.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "linked_left.jpeg").write_bytes(formats.jpeg(fundus()))
    (built.photographs / "linked_right.jpeg").symlink_to(
        built.write("x.bin", formats.png(fundus()))
    )
    (built.photographs / "linked folder").symlink_to(elsewhere)
    built.good("linked_left")
    built.good("linked_right")


def _hidden(built: Hostile) -> None:
    """What does not count, and links that lead in circles."""
    for name in (".hidden.jpeg", "._plain_left.jpeg", ".cache/cached.jpeg", "notes.txt", "jpeg"):
        built.write(name, b"x")
    (built.photographs / "deep" / "up").symlink_to(built.photographs)
    (built.photographs / "deep" / "here").symlink_to(".")


def _content(built: Hostile) -> None:
    """Files that are no photographs, or not whole."""
    whole = {kind: way(fundus()) for kind, way in formats.COLOURED.items()}
    plain = whole["jpeg"]
    middle = len(plain) // 2
    picture = Image.fromarray(fundus())
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("10_left.jpeg", plain)
    thumbnail = b"\xff\xe1\xff\xff" + b"Exif\0\0" + plain
    contents = {
        ("empty file", "empty"): b"",
        ("not an image", "text"): b"no photograph",
        ("not an image", "zeros"): bytes(5000),
        ("not an image", "page"): b"<!DOCTYPE html><html><title>404</title></html>",
        ("not an image", "archive"): archive.getvalue(),
        ("not an image", "gif"): formats.saved(picture.quantize(64), "GIF"),
        ("not an image", "webp"): formats.saved(picture, "WEBP"),
        ("not an image", "bmp"): formats.saved(picture, "BMP"),
        ("not an image", "heic"): b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500),
        ("truncated", "only two bytes"): plain[:2],
        ("truncated", "within the header"): plain[:300],
        ("truncated", "in the middle"): plain[:middle],
        ("truncated", "without its last two bytes"): plain[:-2],
        ("truncated", "ending in zeros"): plain[:middle] + bytes(middle),
        ("truncated", "thumbnail only"): plain[:2] + thumbnail,
        ("truncated", "cut png"): whole["png"][:-20],
        ("truncated", "cut tiff"): whole["tiff"][:-2000],
        ("truncated", "cut tiff lzw"): whole["tiff lzw"][: len(whole["tiff lzw"]) // 2],
        ("unreadable", "hole"): plain[:middle] + bytes(900) + plain[middle + 900 :],
        ("unreadable", "gap"): plain[:middle] + plain[middle + 900 :],
        ("unreadable", "ended early"): plain[:middle] + b"\xff\xd9",
        ("unreadable", "header only"): plain[: plain.index(b"\xff\xda")] + b"\xff\xd9",
        ("unreadable", "damaged png"): _damaged(whole["png"]),
        ("unreadable", "damaged tiff"): _damaged(whole["tiff lzw"]),
        ("too large", "jpeg bomb"): formats.jpeg_claiming(65535, 65535, fundus()),
        ("too large", "png bomb"): formats.png_claiming(100_000, 100_000),
        ("too large", "tiff bomb"): formats.tiff_claiming(2**31 - 1, 2**31 - 1),
    }
    for (status, name), content in contents.items():
        built.write(f"{name}.jpeg", content)
        built.bad(status, name, "0")
    os.truncate(built.write("enormous.jpeg", plain), MOST_BYTES + 1)
    built.bad("too large", "enormous", "0")


def _pictures(built: Hostile) -> None:
    """Whole files that show no retina."""
    pictures = {
        ("black", "black"): np.full((240, 320, 3), 3, np.uint8),
        ("white", "white"): np.full((240, 320, 3), 255, np.uint8),
        ("no retina found", "flat"): np.full((240, 320, 3), 128, np.uint8),
        ("no retina found", "negative"): np.asarray(255 - fundus(), np.uint8),
        ("no retina found", "one pixel"): np.full((1, 1, 3), 90, np.uint8),
    }
    for (status, name), image in pictures.items():
        built.write(f"{name}.jpeg", formats.png(image))
        built.bad(status, name, "0")


def _labels(built: Hostile) -> None:
    """Photographs whose labels are wrong, and labels without a photograph."""
    levels: dict[tuple[str, str], tuple[str, ...]] = {
        ("label missing", "no row"): (),
        ("label missing", "no level"): ("",),
        ("label out of range", "level in words"): ("severe",),
        ("label out of range", "level between"): ("1.5",),
        ("label out of range", "level five"): ("5",),
        ("label out of range", "level below"): ("-1",),
        ("label out of range", "level beyond all"): ("1e30",),
        ("conflicting labels", "several levels"): ("1", "2"),
    }
    for (status, name), given in levels.items():
        built.write(f"{name}.jpeg", formats.jpeg(fundus()))
        built.bad(status, name, *given)
    built.bad("label without file", "nowhere_left", "0")
    built.bad(REFUSED, "escaping", "0")
    copies, conflict = formats.jpeg(fundus()), formats.jpeg(fundus())
    for name in ("copy 1", "copy 2", "copy 3"):
        built.write(f"{name}.jpeg", copies)
    built.good("copy 1", "1")
    built.bad("duplicate of copy 1", "copy 2", "1")
    built.bad("duplicate of copy 1", "copy 3", "1")
    for name, other, level in (("says 1", "says 2", "1"), ("says 2", "says 1", "2")):
        built.write(f"{name}.jpeg", conflict)
        built.bad(f"conflicting labels, same as {other}", name, level)


def _names(built: Hostile) -> None:
    """Names that several files have, or that are no text."""
    for name in ("one/twin.jpeg", "two/twin.png", "two/twin.tif"):
        built.write(name, formats.jpeg(fundus()))
    built.bad("same name as two/twin.png", "twin", "0")
    built.bad("same name as one/twin.jpeg", "two/twin.png")
    built.bad("same name as one/twin.jpeg", "two/twin.tif")
    same = formats.jpeg(fundus())
    for name in ("one/again.jpeg", "two/again.JPG"):
        built.write(name, same)
    built.good("again")
    built.bad("duplicate of again", "two/again.JPG")
    built.write("one/half.jpeg", b"")
    built.write("two/half.jpeg", formats.jpeg(fundus()))
    built.good("half")
    built.bad("empty file", "one/half.jpeg")
    with os.fdopen(os.open(_bytes(built, b"caf\xe9.jpeg"), os.O_CREAT | os.O_WRONLY), "wb") as file:
        file.write(formats.jpeg(fundus()))
    built.bad("unreadable name", "caf\\xe9", "0")
    built.write("carriage\rreturn.jpeg", formats.jpeg(fundus()))
    built.bad("unreadable name", "carriage\\rreturn")
    built.rows.append(("carriage\rreturn", "0"))


def _places(built: Hostile) -> None:
    """Paths where there is no file."""
    (built.photographs / "dangling.jpeg").symlink_to("nowhere")
    (built.photographs / "circle.jpeg").symlink_to("circle.jpeg")
    built.bad("missing file", "dangling", "0")
    built.bad("missing file", "circle", "0")
    (built.photographs / "folder.jpeg").mkdir()
    os.mkfifo(built.photographs / "pipe.jpeg")
    os.mknod(built.photographs / "socket.jpeg", stat.S_IFSOCK | 0o600)
    (built.photographs / "device.jpeg").symlink_to("/dev/zero")
    for name in ("folder", "pipe", "socket", "device"):
        built.bad("not a file", name, "0")


def _system(built: Hostile) -> None:
    """A file that the system refuses to read, to the administrator too where there is such a file.

    The administrator's seems changed to every process, so it is always inspected again.
    """
    memory = Path("/proc/self/mem")  # the first bytes of a process's own memory cannot be read
    if os.geteuid() == 0 and not memory.exists():
        return
    if os.geteuid() == 0:
        (built.photographs / "forbidden.jpeg").symlink_to(memory)
    else:
        built.write("forbidden.jpeg", formats.jpeg(fundus())).chmod(0)
    built.bad("unreadable", "forbidden", "0")


def _bytes(built: Hostile, name: bytes) -> bytes:
    return os.fsencode(built.photographs) + b"/" + name


def _damaged(data: bytes) -> bytes:
    """Change some bytes in the middle."""
    middle = len(data) // 2
    return (
        data[:middle]
        + bytes(byte ^ 0x5A for byte in data[middle : middle + 99])
        + data[middle + 99 :]
    )
