"""What the web server and the `flask` command import: `wsgi:app`."""

import gc
import sys

# Hardly anything that is imported goes away again: to look for it meanwhile takes a fifth of the whole start.
gc.disable()

from marketplace import cli  # noqa: E402
from marketplace.app import create_app  # noqa: E402
from marketplace.core.config import ConfigError  # noqa: E402
from marketplace.core.database.db import require_limits  # noqa: E402

try:
    app = create_app()
    require_limits()
except ConfigError as missing:
    sys.exit(str(missing))
cli.install(app)
# What is made until here stays: to look through all of it in a full collection would stop every thread of the process
# for a tenth of a second and more.
gc.freeze()
gc.enable()
