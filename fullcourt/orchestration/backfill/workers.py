"""Processes that slices run in: Ctrl-C lets them end, a second one kills them, and so goes who began them."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from typing import Any


class _Here(Executor):
    """One slice after the other, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
            future.set_exception(error)
        return future


def pool(workers: int, modules: Sequence[str], begin: Callable[[], None] | None) -> Executor:
    """Processes that begin with the modules imported: forked from a server that has done nothing else.

    One worker is this process.  begin: what each process does first, such as setting up its log.
    """
    if workers <= 1:
        return _Here()
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload(list(modules))
        _start_fork_server()
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker, initargs=(begin,))


def _start_fork_server() -> None:
    """Ctrl-C must not end it while it imports: it, and what it forks, inherits that the signal is held back."""
    resource_tracker.ensure_running()  # or the server starts it, which lets the signal through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker(begin: Callable[[], None] | None) -> None:
    """Ctrl-C reaches every process of the terminal; the one that hands out the slices lets these end.

    When that one is gone nobody hears of a slice any more, so a worker goes too; what it has not published is not.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    if begin:
        begin()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"
    multiprocessing.connection.wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def drain() -> Iterator[list[bool]]:
    """A list that holds something once Ctrl-C was pressed; pressed again it kills the workers and interrupts."""
    pressed: list[bool] = []

    def press(_signal: int, _frame: Any) -> None:
        if pressed:
            for worker in multiprocessing.active_children():
                worker.kill()  # whoever leaves the pool waits for them
            raise KeyboardInterrupt
        pressed.append(True)

    try:
        before = signal.signal(signal.SIGINT, press)
    except ValueError:  # not the main thread: nobody presses there
        yield pressed
        return
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
