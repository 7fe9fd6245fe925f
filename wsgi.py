"""What the web server and the `flask` command import: `wsgi:app`."""

import sys

from marketplace import cli
from marketplace.app import create_app
from marketplace.core.config import ConfigError
from marketplace.core.db import require_limits

try:
    app = create_app()
    require_limits()
except ConfigError as missing:
    sys.exit(str(missing))
cli.install(app)
