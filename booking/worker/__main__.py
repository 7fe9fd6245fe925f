"""`python -m booking.worker`."""

import sys

from booking.worker.process import main

if __name__ == "__main__":
    sys.exit(main())
