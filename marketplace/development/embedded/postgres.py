"""One PostgreSQL server's folder and processes: make, start, stop, kill, remove. database.py decides when."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from marketplace.development.children import all_processes, command_line, dies_with_us
from marketplace.development.embedded.programs import DevDatabaseError, RunAs, clean_environment

SUPERUSER = "anxiang_super"
OWNER = "anxiang_owner"
APPLICATION = "anxiang_app"


@dataclass(frozen=True)
class Server:
    """All that is needed to run one server; kept as JSON, readable only by whoever made it.

    `user` is whom it runs as (None: ourselves), `passwords` go by role name. `fsync` False is for tests: commits still
    reach the operating system, so a killed server loses nothing, only a power cut would.
    """

    folder: Path
    programs: Path
    major: int
    port: int
    user: str | None
    passwords: dict[str, str]
    ephemeral: bool
    fsync: bool

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def mark(self) -> str:
        """The cluster's name: every server process shows it in its title, which tells them from strangers."""
        return f"anxiang-{hashlib.sha256(str(self.folder).encode()).hexdigest()[:10]}"

    @staticmethod
    def read(state: Path) -> Server | None:
        """The server described in a state folder, None when there is none. Raises DevDatabaseError."""
        try:
            raw = json.loads((state / "server.json").read_text())
        except FileNotFoundError:
            return None
        except PermissionError as refused:
            raise DevDatabaseError(f"{state} belongs to another user.") from refused
        return Server(**{**raw, "folder": Path(raw["folder"]), "programs": Path(raw["programs"])})

    def write(self, state: Path) -> None:
        """Keep the description in a state folder, whole or not at all."""
        raw = {**asdict(self), "folder": str(self.folder), "programs": str(self.programs)}
        draft = state / "server.json.new"
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(raw, indent=1))
        draft.rename(state / "server.json")

    def url(self, role: str, database: str) -> str:
        """The address for `role`, its password included."""
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on now, and below those that the kernel gives to outgoing connections:
    a server that was killed must find its port free when it comes back."""
    below = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(100):
        port = secrets.choice(range(min(20_000, below - 1), below))
        if is_free(port):
            return port
    with socket.socket() as probe:  # a machine whose outgoing connections use nearly all ports
        probe.bind(("127.0.0.1", 0))
        chosen: int = probe.getsockname()[1]
        return chosen


def is_free(port: int) -> bool:
    """True when we could listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def make_data(server: Server) -> None:
    """Run initdb, unless the data is there. A half-made folder of a killed start is dropped and made again."""
    if server.data.exists():
        return
    user = RunAs(server.user)
    draft, password = server.folder / "data.new", server.folder / "password.new"
    shutil.rmtree(draft, ignore_errors=True)
    password.unlink(missing_ok=True)
    draft.mkdir(mode=0o700)
    user.give(draft)
    password.touch(mode=0o600)
    password.write_text(server.passwords[SUPERUSER])
    user.give(password)
    try:
        made = user.run(
            str(server.programs / "initdb"),
            *("-D", str(draft), "-U", SUPERUSER, f"--pwfile={password}", "--auth=scram-sha-256"),
            *("--encoding=UTF8", "--locale=C.UTF-8", *(() if server.fsync else ("--no-sync",))),
        )
    finally:
        password.unlink()
    if made.returncode != 0:
        raise DevDatabaseError(f"initdb failed: {(made.stderr or made.stdout).strip().splitlines()[-1]}")
    draft.rename(server.data)


def command(server: Server) -> list[str]:
    """How postgres is started. Log lines are terse and quote no statement: values in them may be personal."""
    options = {
        "port": str(server.port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "cluster_name": server.mark,
        "max_connections": "300",
        "fsync": "on" if server.fsync else "off",
        "full_page_writes": "on" if server.fsync else "off",
        "dynamic_shared_memory_type": "mmap" if server.ephemeral else "posix",  # mmap: inside the folder, goes with it
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
    }
    flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
    return [str(server.programs / "postgres"), "-D", str(server.data), *flags]


def launch(server: Server) -> subprocess.Popen[bytes]:
    """Start postgres as our child: it shuts down in order when we end. Its output goes where ours goes."""
    user = RunAs(server.user)
    return subprocess.Popen(
        command(server),
        cwd="/",
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        user=user.name,
        group=user.group,
        extra_groups=None if user.name is None else [],
        start_new_session=True,
        preexec_fn=dies_with_us(signal.SIGINT),  # the guard has no threads that a fork could upset
    )


def postmaster(server: Server) -> int | None:
    """The pid of the running server, None when there is none."""
    return next((pid for pid in all_processes() if _is_postmaster(server, command_line(pid))), None)


def processes(server: Server) -> list[int]:
    """All processes of the server, also those a killed postmaster left behind."""
    title = f"postgres: {server.mark}: "
    known = [(pid, command_line(pid)) for pid in all_processes()]
    main = [pid for pid, arguments in known if _is_postmaster(server, arguments)]
    return main + [pid for pid, arguments in known if "".join(arguments[:1]).startswith(title)]


def _is_postmaster(server: Server, arguments: list[str]) -> bool:
    return arguments[1:3] == ["-D", str(server.data)] and Path(arguments[0]).name == "postgres"


def stop(server: Server) -> None:
    """Fast shutdown: sessions are ended, data is written. Killed after 30 seconds of no effect."""
    pid = postmaster(server)
    if pid is not None:
        _signal(pid, signal.SIGINT)
        if _wait_gone(server, 30.0):
            return
    kill(server)


def kill(server: Server) -> None:
    """Kill every process of the server at once, as a crash would."""
    while pids := processes(server):
        for pid in pids:
            _signal(pid, signal.SIGKILL)
        _wait_gone(server, 5.0)


def clear_stale_pid(server: Server) -> None:
    """Make the folder of a server that does not run startable.

    PostgreSQL refuses to start when the pid in the file belongs to any process of the same user, and rightly warns
    against removing the file while orphans still use the shared memory: so orphans first, then the file.
    """
    kill(server)
    pid_file = server.data / "postmaster.pid"
    if pid_file.exists():
        _free_shared_memory(pid_file)
        pid_file.unlink()


def remove(server: Server) -> None:
    """Delete the data of a server that does not run."""
    if server.data.exists():
        clear_stale_pid(server)
    for path in (server.data, server.folder / "data.new"):
        if path.exists():
            shutil.rmtree(path)


def _free_shared_memory(pid_file: Path) -> None:
    """Give back the few bytes of System V shared memory that a killed server left.

    Line 7 of the pid file names key and id. Both must still agree and nobody be attached: ids come again after a boot.
    """
    lines = pid_file.read_text().splitlines()
    if len(lines) < 7 or len(lines[6].split()) != 2:
        return
    for row in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]:
        key, number, _mode, _size, _made_by, _used_by, attached, *_rest = row.split()
        if [key, number] == lines[6].split() and attached == "0":
            ctypes.CDLL(None).shmctl(int(number), 0, None)


def _signal(pid: int, what: signal.Signals) -> None:
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return


def _wait_gone(server: Server, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while processes(server):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def new_password() -> str:
    """A random password, free of characters that an address would have to quote."""
    return secrets.token_hex(16)
