"""What the head of an image file says, whatever its format."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Header:
    """What can be known without decoding.

    Attributes:
        width: Columns as stored, pixels.
        height: Rows as stored.
        scalable: Whether the decoder itself can decode at a fraction of the side.
        turned: Whether rows and columns are swapped when the photograph is shown; known where it
            is `scalable`, others are decoded in full anyway.
        scan: Offset of the pixels, bytes; known where it is `scalable`.
    """

    width: int
    height: int
    scalable: bool = False
    turned: bool = False
    scan: int = 0
