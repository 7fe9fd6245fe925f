"""`python -m booking.worker`."""

import gc
import sys

# Hardly anything that is imported goes away again: to look for it meanwhile takes a fifth of the whole start.
gc.disable()

from booking.worker.process import main  # noqa: E402

if __name__ == "__main__":
    gc.freeze()
    gc.enable()
    sys.exit(main())
