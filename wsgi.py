"""What the web server and the `flask` command import: `wsgi:app`."""

import gc
import sys

from marketplace import cli
from marketplace.app import create_app
from marketplace.core.config import ConfigError
from marketplace.core.database.db import require_limits

try:
    app = create_app()
    require_limits()
except ConfigError as missing:
    sys.exit(str(missing))
cli.install(app)
# What is made until here stays: to look through all of it in a full collection would stop every thread of the process
# for a tenth of a second and more.
gc.freeze()
