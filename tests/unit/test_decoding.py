"""Photographs as files: decoding at a fraction of the side, orientation, files that are cut."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drawn import difference, disc, jpeg

from retinopathy import decoding
from retinopathy.errors import Explained


def turned(data: bytes, orientation: int) -> bytes:
    """Insert an EXIF segment that asks for `orientation`."""
    tags = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(tags) + 2) + tags + data[2:]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("reduction", [2, 4, 8])
def test_reduced_decoding_shows_what_full_decoding_shows(orientation: int, reduction: int) -> None:
    data = turned(jpeg(disc(640, 400, 150, 120, 110)), orientation)
    full = decoding.decode(data)
    reduced = decoding.decode(data, reduction)
    height, width = full.shape[:2]
    assert decoding.dimensions(data) == (width, height)
    assert (width, height) == ((400, 640) if orientation >= 5 else (640, 400))
    expected = cv2.resize(full, (width // reduction, height // reduction), interpolation=3)
    assert reduced.shape == expected.shape
    assert difference(reduced, np.asarray(expected, np.uint8)) < 3


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_other_formats_and_depths_become_8_bit_rgb(ending: str, depth: type[np.uint16]) -> None:
    image = disc(90, 61, 40, 30, 25)
    stored = cv2.cvtColor(image, cv2.COLOR_RGB2BGR).astype(depth) * (np.iinfo(depth).max // 255)
    data = cv2.imencode(ending, stored)[1].tobytes()
    assert decoding.dimensions(data) == (90, 61)
    assert np.abs(decoding.decode(data).astype(int) - image).max() <= 1
    assert decoding.decode(data, 4).shape == (16, 23, 3)


def test_grey_and_alpha_become_rgb() -> None:
    image = disc(90, 61, 40, 30, 25)
    alpha = np.dstack([image[..., ::-1], np.zeros((61, 90), np.uint8)])
    assert np.array_equal(decoding.decode(cv2.imencode(".png", alpha)[1].tobytes()), image)
    grey = decoding.decode(cv2.imencode(".jpg", image[..., 0])[1].tobytes(), 2)
    assert grey.shape == (31, 45, 3)
    assert np.ptp(grey.astype(int), axis=2).max() == 0


def test_progressive_jpeg_is_decoded_reduced() -> None:
    image = disc(640, 400, 150, 120, 110)
    plain = decoding.decode(jpeg(image), 8)
    progressive = decoding.decode(jpeg(image, cv2.IMWRITE_JPEG_PROGRESSIVE, 1), 8)
    assert difference(plain, progressive) < 1


def test_png_keeps_every_pixel() -> None:
    image = disc(64, 64, 30, 30, 25)
    assert np.array_equal(decoding.decode(decoding.encode_png(image)), image)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.999])
@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif"])
def test_cut_files_are_unreadable(ending: str, share: float) -> None:
    data = cv2.imencode(ending, disc(200, 200, 100, 100, 90))[1].tobytes()
    with pytest.raises(Explained, match="unreadable"):
        decoding.decode(data[: int(share * len(data))])


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_photograph() -> None:
    data = jpeg(disc(200, 200, 100, 100, 90))
    comment = b"\xff\xfe\x00\x06" + b"\xff\xd9" * 2
    with pytest.raises(Explained):
        decoding.decode(data[:2] + comment + data[2:-2])


def test_bytes_after_the_end_do_no_harm() -> None:
    data = jpeg(disc(200, 200, 100, 100, 90))
    assert np.array_equal(decoding.decode(data + bytes(1000)), decoding.decode(data))


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8", b"\xff\xd8\xff\xe1", b"\x89PNG"])
)
def test_any_bytes_are_explained(tail: bytes, head: bytes) -> None:
    for read in (decoding.decode, decoding.dimensions):
        with pytest.raises(Explained, match="unreadable"):
            read(head + tail)


@pytest.mark.parametrize(("side", "size", "reduction"), [(2400, 224, 8), (2400, 448, 4)])
def test_the_decoder_leaves_at_least_the_size(side: int, size: int, reduction: int) -> None:
    assert decoding.strongest_reduction(side, size) == reduction
    assert decoding.strongest_reduction(100, size) == 1
