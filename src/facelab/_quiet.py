"""Keep off the screen what compiled libraries write past ``sys.stderr``."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_messages() -> Iterator[None]:
    """Turn file descriptor 2 aside for a block; show what was written there if the block fails."""
    sys.stderr.flush()
    there = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            aside.seek(0)
            os.write(there, aside.read())
            raise
        finally:
            os.dup2(there, 2)
            os.close(there)
