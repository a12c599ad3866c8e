"""Preprocess photographs with retinalysis-fundusprep, in its own environment, as often as asked.

python fundusprep_worker.py PHOTOGRAPH …

For every side in pixels on its input it prepares all photographs once and prints the seconds of
CPU that they took, from bytes in memory to square RGB arrays.
"""

import io
import sys
import time
from pathlib import Path

import cv2
from rtnls_fundusprep.preprocessor import FundusPreprocessor
from rtnls_fundusprep.utils import open_image


def main() -> None:
    """Answer until the input ends."""
    cv2.setNumThreads(1)
    files = [Path(path).read_bytes() for path in sys.argv[1:]]
    for line in sys.stdin:
        size = int(line)
        prepare = FundusPreprocessor(square_size=size)
        started = time.process_time()
        images = [prepare(open_image(io.BytesIO(data)))["image"] for data in files]
        spent = time.process_time() - started
        if any(image.shape != (size, size, 3) for image in images):
            raise SystemExit(f"expected arrays of {size} × {size} × 3")
        print(spent, flush=True)


if __name__ == "__main__":
    main()
