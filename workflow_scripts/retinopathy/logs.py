"""One logging set-up for all scripts."""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retinopathy.errors import Explained

LOG = logging.getLogger("retinopathy")


@contextmanager
def logged(path: str) -> Iterator[None]:
    """Send what the script says to the log file at `path`; end with one clear message on failure.

    The file is appended to, so that a resumed job keeps the story of the one that was stopped.

    Raises:
        SystemExit: The block raised; the log has the traceback, the screen the message.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=path,
        level=logging.WARNING,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        force=True,
    )
    LOG.setLevel(logging.INFO)
    try:
        yield
    except Exception as error:
        LOG.error(traceback.format_exc())
        kind = "" if isinstance(error, Explained) else f"{type(error).__name__}: "
        print(f"{kind}{error}\n  log: {path}", file=sys.stderr)
        raise SystemExit(1) from error
