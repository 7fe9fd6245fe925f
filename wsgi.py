"""What the web server and the `flask` command import: `wsgi:app`."""

import sys

from marketplace import cli
from marketplace.app import create_app
from marketplace.core.config import ConfigError

try:
    app = create_app()
except ConfigError as missing:
    sys.exit(str(missing))
cli.install(app)
