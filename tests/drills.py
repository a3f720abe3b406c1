"""The command line in processes of their own: killed, stopped or starved of disk while they work."""

import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from fullcourt import crash
from fullcourt.cli.main import main
from tests import figures
from tests.houses import House

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__, "pipelines.analytics", "pipelines.precompute"])  # a start costs no import
_MAY_IGNORE_MODES = 1  # CAP_DAC_OVERRIDE, which root has
_CAPABILITIES_3 = 0x20080522


@dataclass(frozen=True)
class Ended:
    """code: exit code, or the signal's number negated.  said: on stdout and stderr."""

    code: int
    said: str

    @property
    def error(self) -> str:
        """The last line."""
        return self.said.splitlines()[-1]


@dataclass(frozen=True)
class How:
    """crash_at: the point at which it is killed.  stop_at: the point at which it is stopped, until it is told to go on.

    file_limit: bytes to which a file may grow.  obeys_modes: root, too, may not write what is read-only.
    """

    crash_at: str = ""
    stop_at: str = ""
    file_limit: int | None = None
    obeys_modes: bool = False


class Command:
    """A command under way on a house, at its clock, in a process group of its own."""

    def __init__(self, house: House, *arguments: str, after: tuple[str, ...] = (), **how) -> None:
        """after: words behind the house's options, such as Beam's."""
        number = len(list(house.path.parent.glob("*.log")))
        self._log = house.path.with_name(f"{number}.log")
        self._log.touch()
        argv = [*arguments, "--warehouse", house.url, "--now", house.now.isoformat(), *after]
        self._process = _CONTEXT.Process(target=_run, args=(argv, str(self._log), How(**how), dict(os.environ)))
        self._process.start()
        self.pid = self._process.pid

    @property
    def code(self) -> int | None:
        """None while it runs."""
        return self._process.exitcode

    def kill(self) -> None:
        """This process alone, not what it has started."""
        self._process.kill()

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def wait(self, seconds: int = 240) -> Ended:
        """seconds: after which it hangs."""
        self._process.join(seconds)
        assert self._process.exitcode is not None, f"still runs: {self._log.read_text()}"
        figures.count(figures.KILLS, self._process.exitcode == -signal.SIGKILL)
        return Ended(self._process.exitcode, self._log.read_text(errors="replace"))

    @property
    def processes(self) -> list[int]:
        """Of its group, those that live. Linux only."""
        return [pid for pid, state, group in _processes() if group == self.pid and state not in "ZX"]

    def wait_until_stopped(self) -> None:
        """At its crash point. Linux only."""
        while (self.pid, "T") not in [(pid, state) for pid, state, _ in _processes()]:
            assert self._process.exitcode is None, f"ended before: {self._log.read_text()}"
            time.sleep(0.02)


def command(house: House, *arguments: str, **how) -> Ended:
    """Runs it to its end."""
    return Command(house, *arguments, **how).wait()


def _processes() -> Iterator[tuple[int, str, int]]:
    """(pid, state, process group) of all there are."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, group = file.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        yield int(file.parent.name), state, int(group)


def _run(argv: list[str], log: str, how: How, environment: dict[str, str]) -> None:
    os.environ.update(environment)  # the fork server's may be older, and not know of emulators
    # The fork server may have been begun by a backfill, which keeps Ctrl-C from it; a command of a terminal hears it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.setpgid(0, 0)
    said = os.open(log, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.environ[crash.VARIABLE] = how.crash_at or how.stop_at
    if how.stop_at:
        crash.signal = SimpleNamespace(SIGKILL=signal.SIGSTOP)
    if how.file_limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (how.file_limit, how.file_limit))
    if how.obeys_modes and os.geteuid() == 0:
        _obey_modes()
    sys.argv = ["fullcourt", *argv]
    main()


def _obey_modes() -> None:
    """Gives up root's right to write what is read-only."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, twice 32 bits
    for call in (libc.capget, libc.capset):
        if call(header, sets):
            raise OSError(ctypes.get_errno(), "capabilities")
        sets[0] &= ~(1 << _MAY_IGNORE_MODES)
