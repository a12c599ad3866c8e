"""Files of many formats with the same picture, written by Pillow, which the project does not use.

Functions take RGB pixels, uint8 (h, w, 3), and return the content of a file.
"""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from PIL import Image

from retinopathy.decoding import Pixels


def saved(picture: Image.Image, kind: str, **settings: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **settings)
    return stream.getvalue()


def jpeg(image: Pixels, **settings: Any) -> bytes:
    return saved(Image.fromarray(image), "JPEG", **({"quality": 95} | settings))


def png(image: Pixels, **settings: Any) -> bytes:
    return saved(Image.fromarray(image), "PNG", **settings)


def tiff(image: Pixels, **settings: Any) -> bytes:
    return saved(Image.fromarray(image), "TIFF", **settings)


def cmyk(image: Pixels) -> bytes:
    return saved(Image.fromarray(image).convert("CMYK"), "JPEG", quality=95)


def ycck(image: Pixels) -> bytes:
    """Write inverted luminance and chrominance, and black, as Photoshop does."""
    colours = np.asarray(Image.fromarray(255 - image).convert("YCbCr"))
    inverted = np.dstack([255 - colours, np.zeros(image.shape[:2], np.uint8)])
    data = saved(
        Image.frombytes("CMYK", image.shape[1::-1], inverted.tobytes()), "JPEG", quality=95
    )
    place = data.index(b"Adobe") + 11
    return data[:place] + b"\2" + data[place + 1 :]


def transparent(image: Pixels) -> Image.Image:
    picture = Image.fromarray(image).convert("RGBA")
    noise = np.random.default_rng(1).integers(0, 255, image.shape[:2], np.uint8)
    picture.putalpha(Image.fromarray(noise))
    return picture


def palette(image: Pixels) -> Image.Image:
    return Image.fromarray(image).quantize(256)


def deep(image: Pixels, ending: str) -> bytes:
    """Write 16 bits per sample."""
    return cv2.imencode(ending, image[..., ::-1].astype(np.uint16) * 257)[1].tobytes()


def paged(image: Pixels) -> bytes:
    first = Image.fromarray(image)
    return saved(first, "TIFF", save_all=True, append_images=[first.rotate(90), first.rotate(180)])


def oriented(image: Pixels, kind: str, orientation: int) -> bytes:
    """Write a file that asks for an orientation, in the way of its format."""
    if kind == "TIFF":
        return tiff(image, tiffinfo={0x0112: orientation})
    exif = Image.Exif()
    exif[0x0112] = orientation
    settings = {"quality": 95} if kind == "JPEG" else {}
    return saved(Image.fromarray(image), kind, exif=exif, **settings)


def padded(image: Pixels) -> bytes:
    """Fill up a JPEG file before its end, as some cameras do."""
    return jpeg(image)[:-2] + bytes(512) + b"\xff\xd9"


COLOURED: dict[str, Callable[[Pixels], bytes]] = {
    "jpeg": jpeg,
    "progressive": lambda image: jpeg(image, progressive=True),
    "restarts": lambda image: jpeg(image, restart_marker_blocks=3),
    "padded": padded,
    "cmyk": cmyk,
    "ycck": ycck,
    "png": png,
    "png 16 bit": lambda image: deep(image, ".png"),
    "png palette": lambda image: saved(palette(image), "PNG"),
    "png alpha": lambda image: saved(transparent(image), "PNG"),
    "tiff": tiff,
    "tiff 16 bit": lambda image: deep(image, ".tif"),
    "tiff palette": lambda image: saved(palette(image), "TIFF"),
    "tiff alpha": lambda image: saved(Image.fromarray(image).convert("RGBA"), "TIFF"),
    "tiff pages": paged,
    "tiff lzw": lambda image: tiff(image, compression="tiff_lzw"),
    "tiff deflate": lambda image: tiff(image, compression="tiff_adobe_deflate"),
    "tiff cmyk": lambda image: saved(Image.fromarray(image).convert("CMYK"), "TIFF"),
}
"""Ways to write a picture in colour."""

GREY: dict[str, Callable[[Pixels], bytes]] = {
    "jpeg": lambda image: saved(Image.fromarray(image).convert("L"), "JPEG", quality=95),
    "png": lambda image: saved(Image.fromarray(image).convert("L"), "PNG"),
    "png alpha": lambda image: saved(transparent(image).convert("LA"), "PNG"),
    "tiff": lambda image: saved(Image.fromarray(image).convert("L"), "TIFF"),
    "tiff 16 bit": lambda image: cv2.imencode(
        ".tif", np.asarray(Image.fromarray(image).convert("L")).astype(np.uint16) * 257
    )[1].tobytes(),
}
"""Ways to write a picture in grey."""


def png_claiming(width: int, height: int) -> bytes:
    """Write a PNG file of a few bytes whose header declares any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(content)) + kind + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def jpeg_claiming(width: int, height: int, image: Pixels) -> bytes:
    """Write a JPEG file whose header declares any size."""
    data = jpeg(image)
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]


def tiff_claiming(width: int, height: int) -> bytes:
    """Write a TIFF file of a few bytes whose directory declares any size."""
    tags = ((256, 4, width), (257, 4, height), (258, 3, 8), (262, 3, 1), (273, 4, 8), (279, 4, 1))
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
