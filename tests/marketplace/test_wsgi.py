"""What a web server imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from marketplace.core.config import ROOT


def test_what_the_application_is_made_of_is_kept_out_of_garbage_collection(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "ANXIANG_ENV": "development",
        "ANXIANG_STATE_DIR": str(tmp_path),
        "DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none",
    }
    asked = "import gc, wsgi; print(gc.get_freeze_count() > 10 * len(gc.get_objects()))"
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True"]
