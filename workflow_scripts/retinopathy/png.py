"""The chunks of a PNG file: what can be known without decoding it."""

import struct

from retinopathy.headers import Header

SIGNATURES = (b"\x89PNG\r\n\x1a\n",)


def header(data: bytes) -> Header:
    """Walk the chunks to the last one ("PNG specification", third edition, W3C 2025, section 5).

    Raises:
        EOFError: The last chunk is missing.
        ValueError: It is no row of chunks that starts with a size.
    """
    width, height, offset, kind = 0, 0, len(SIGNATURES[0]), b""
    while kind != b"IEND":
        try:
            length, kind = struct.unpack_from(">I4s", data, offset)
            if kind == b"IHDR":
                width, height = struct.unpack_from(">II", data, offset + 8)
        except struct.error as error:
            raise EOFError("a PNG file that ends before its last chunk") from error
        if not kind.isalpha() or width * height == 0:
            raise ValueError("a PNG file that does not consist of chunks")
        offset += 12 + length
    if offset > len(data):
        raise EOFError("a PNG file that ends within its last chunk")
    return Header(width, height)
