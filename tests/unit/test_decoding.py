"""Photographs as files: formats, orientation, fractions of the side, files cut or broken."""

import io
import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from tests import formats
from tests.drawn import difference, disc, jpeg

from retinopathy import decoding
from retinopathy.decoding import Unusable

IMAGE = np.asarray(cv2.GaussianBlur(disc(321, 203, 150, 100, 90), (0, 0), 2), np.uint8)


def exif(orientation: int, order: str = ">") -> bytes:
    """Return a segment that asks for `orientation`."""
    start = b"MM\0*" if order == ">" else b"II*\0"
    entry = struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    tags = b"Exif\0\0" + start + entry
    return b"\xff\xe1" + struct.pack(">H", len(tags) + 2) + tags


def with_segments(data: bytes, *segments: bytes) -> bytes:
    return data[:2] + b"".join(segments) + data[2:]


def reason(data: bytes) -> str:
    with pytest.raises(Unusable) as caught:
        decoding.look(data, 64)
    return caught.value.reason


def check_sizes_agree(data: bytes) -> None:
    """Check that every way to ask for the size says the same."""
    height, width = decoding.decode(data).shape[:2]
    assert decoding.dimensions(data) == (width, height)
    for least in (20, 50, 1000):
        seen = decoding.look(data, least)
        assert (seen.width, seen.height) == (width, height)
        assert np.array_equal(seen.pixels, decoding.decode(data, seen.reduction))
    for reduction in (2, 4, 8):
        reduced = decoding.decode(data, reduction).shape
        assert reduced == (-(-height // reduction), -(-width // reduction), 3)


@pytest.mark.parametrize("name", formats.COLOURED)
def test_every_format_shows_the_same_picture(name: str) -> None:
    data = formats.COLOURED[name](IMAGE)
    check_sizes_agree(data)
    assert difference(decoding.decode(data), IMAGE) < 1.5
    small = cv2.resize(IMAGE, (41, 26), interpolation=cv2.INTER_AREA)
    assert difference(decoding.decode(data, 8), np.asarray(small, np.uint8)) < 3.5


@pytest.mark.parametrize("name", formats.GREY)
def test_grey_becomes_rgb(name: str) -> None:
    data = formats.GREY[name](IMAGE)
    check_sizes_agree(data)
    grey = np.dstack([np.asarray(Image.fromarray(IMAGE).convert("L"))] * 3)
    assert difference(decoding.decode(data), grey) < 1
    assert np.ptp(decoding.decode(data, 4).astype(int), axis=2).max() == 0


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_at_every_reduction(kind: str, orientation: int) -> None:
    data = formats.oriented(IMAGE, kind, orientation)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    expected = np.asarray(upright, np.uint8)
    assert expected.shape == ((321, 203, 3) if orientation >= 5 else (203, 321, 3))
    check_sizes_agree(data)
    assert difference(decoding.decode(data), expected) < 1
    reduced = decoding.decode(data, 4)
    small = cv2.resize(expected, reduced.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert difference(reduced, np.asarray(small, np.uint8)) < 2


@pytest.mark.parametrize(
    ("segments", "turned"),
    [
        ([exif(6, "<")], True),
        ([exif(1), exif(6)], False),
        ([exif(6), exif(1)], True),
        ([b"\xff\xe1\x00\x0aExif\0\0MM", exif(8)], True),
        ([b"\xff\xe1\x00\x0bhttp:/x\0\0", exif(5)], True),
        ([exif(0)], False),
        ([exif(9)], False),
        ([b"\xff\xff\xff\xfe\x00\x03x"], False),
    ],
)
def test_the_header_is_read_as_the_decoder_reads_it(segments: list[bytes], turned: bool) -> None:
    data = with_segments(jpeg(IMAGE), *segments)
    check_sizes_agree(data)
    assert decoding.dimensions(data) == ((203, 321) if turned else (321, 203))


def test_progressive_jpeg_is_decoded_reduced() -> None:
    image = disc(640, 400, 150, 120, 110)
    plain = decoding.decode(jpeg(image), 8)
    progressive = decoding.decode(jpeg(image, cv2.IMWRITE_JPEG_PROGRESSIVE, 1), 8)
    assert difference(plain, progressive) < 1


def test_png_keeps_every_pixel() -> None:
    image = disc(64, 64, 30, 30, 25)
    assert np.array_equal(decoding.decode(decoding.encode_png(image)), image)


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.3, 0.7, 0.99, 0.9999])
@pytest.mark.parametrize("name", [name for name in formats.COLOURED if name != "tiff pages"])
def test_cut_files_are_truncated(name: str, share: float) -> None:
    data = formats.COLOURED[name](IMAGE)
    cut = data[: int(share * len(data))]
    assert reason(cut) == "truncated"
    with pytest.raises(Unusable, match="truncated"):
        decoding.decode(cut)


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_photograph() -> None:
    comment = b"\xff\xfe\x00\x06" + b"\xff\xd9" * 2
    assert reason(with_segments(jpeg(IMAGE), comment)[:-2]) == "truncated"


@pytest.mark.parametrize("name", ["jpeg", "progressive", "png", "tiff"])
def test_bytes_after_the_end_do_no_harm(name: str) -> None:
    data = formats.COLOURED[name](IMAGE)
    for more in (bytes(1000), b"\xff\xd9", data):
        check_sizes_agree(data + more)
        assert np.array_equal(decoding.decode(data + more), decoding.decode(data))


JPEGS = ["jpeg", "progressive", "restarts", "cmyk"]


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("name", [*JPEGS, "png", "png 16 bit", "tiff lzw"])
def test_a_hole_is_damage(name: str, place: float) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8)
    data = formats.COLOURED[name](np.asarray(cv2.GaussianBlur(noise, (0, 0), 1), np.uint8))
    start = int(place * len(data))
    assert reason(data[:start] + bytes(1000) + data[start + 1000 :]) == "unreadable"


@pytest.mark.parametrize("name", JPEGS)
def test_a_photograph_that_ends_early_is_damaged(name: str) -> None:
    data = formats.COLOURED[name](IMAGE)
    assert reason(data[: len(data) * 2 // 3] + b"\xff\xd9") == "unreadable"


def test_complaints_of_decoders_do_not_reach_the_screen(capfd: pytest.CaptureFixture[str]) -> None:
    data = jpeg(IMAGE)
    reason(data[: len(data) // 2] + b"\xff\xd9")
    decoding.look(formats.padded(IMAGE), 64)
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a" + bytes(99),
        b"BM" + bytes(99),
        b"RIFF\0\0\0\0WEBP" + bytes(99),
        b"PK\3\4" + bytes(99),
        b"<html>",
        bytes(99),
        b"\xff\xd8\0" + bytes(99),
        b"\x89PNG\n\x1a\n" + bytes(99),
    ],
)
def test_other_formats_are_no_images(data: bytes) -> None:
    assert reason(data) == "not an image"


@pytest.mark.parametrize(
    "data",
    [
        formats.jpeg_claiming(65535, 65535, IMAGE),
        formats.jpeg_claiming(10_001, 10_000, IMAGE),
        formats.png_claiming(2**31 - 1, 2**31 - 1),
        formats.png_claiming(10_001, 10_000),
        formats.tiff_claiming(2**32 - 1, 2**32 - 1),
        formats.tiff_claiming(10_001, 10_000),
    ],
)
def test_a_bomb_is_known_by_its_header(data: bytes) -> None:
    assert reason(data) == "too large"
    for read in (decoding.decode, decoding.dimensions):
        with pytest.raises(Unusable, match="too large"):
            read(data)


@pytest.mark.parametrize(
    "data",
    [
        formats.jpeg_claiming(0, 0, IMAGE),
        formats.jpeg_claiming(9000, 9000, IMAGE),
        formats.png_claiming(0, 7),
        formats.png_claiming(9000, 9000),
        formats.tiff_claiming(0, 7),
        formats.tiff_claiming(9000, 9000),
        jpeg(IMAGE)[: jpeg(IMAGE).index(b"\xff\xc0")] + b"\xff\xd9",
        formats.png(IMAGE).replace(b"IDAT", b"I\0AT", 1),
    ],
)
def test_a_header_without_such_pixels_is_unreadable(data: bytes) -> None:
    assert reason(data) == "unreadable"


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from(
        [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*\0\0\0\x08"]
    ),
)
def test_any_bytes_are_explained(tail: bytes, head: bytes) -> None:
    for read in (decoding.decode, decoding.dimensions, lambda data: decoding.look(data, 64)):
        with pytest.raises(Unusable):
            read(head + tail)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([way(IMAGE) for way in formats.COLOURED.values()]),
    st.floats(0, 1, exclude_max=True),
    st.binary(min_size=1, max_size=40),
)
def test_any_damage_is_either_seen_or_decoded(data: bytes, place: float, other: bytes) -> None:
    start = int(place * len(data))
    broken = data[:start] + other + data[start + len(other) :]
    try:
        seen = decoding.look(broken, 64)
    except Unusable:
        return
    assert decoding.dimensions(broken) == (seen.width, seen.height)
    assert decoding.decode(broken, seen.reduction).shape == seen.pixels.shape


@pytest.mark.parametrize(("side", "size", "reduction"), [(2400, 224, 8), (2400, 448, 4)])
def test_the_decoder_leaves_at_least_the_size(side: int, size: int, reduction: int) -> None:
    assert decoding.strongest_reduction(side, size) == reduction
    assert decoding.strongest_reduction(100, size) == 1


def test_only_files_are_read(tmp_path: Path) -> None:
    def refusal(path: Path) -> str:
        with pytest.raises(Unusable) as caught:
            decoding.read(path)
        return caught.value.reason

    file, pipe, large = tmp_path / "file", tmp_path / "pipe", tmp_path / "large"
    file.write_bytes(b"content")
    assert decoding.read(file) == b"content"
    os.mkfifo(pipe)
    assert refusal(pipe) == "not a file"
    assert refusal(tmp_path) == "not a file"
    assert refusal(tmp_path / "nowhere") == "missing file"
    assert refusal(file / "below") == "missing file"
    large.touch()
    os.truncate(large, decoding.MOST_BYTES + 1)
    assert refusal(large) == "too large"


@pytest.mark.parametrize("level", [0, 255])
def test_real_photographs_are_decoded_without_a_complaint(
    real_photographs: Path, level: int
) -> None:
    """A hole in one of them is known, whatever it is filled with."""
    for path in sorted((real_photographs / "kaggle_raw_sample").glob("*.jpeg"))[:3]:
        data = path.read_bytes()
        assert max(decoding.look(data, 256).pixels.shape) >= 256
        middle = len(data) // 2
        assert reason(data[:middle] + bytes([level]) * 4096 + data[middle + 4096 :]) == "unreadable"
