"""Long computations in another process. It starts when it is first needed and ends with the service."""

import os
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from functools import cached_property
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class ProcessPool(Executor):
    """One process beside the service, which first calls `at_start`."""

    def __init__(self, at_start: Callable[[], None] | None = None) -> None:
        self._at_start = at_start

    @cached_property
    def _pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            max_workers=1, mp_context=get_context("spawn"), initializer=_begin, initargs=(self._at_start,)
        )

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        try:
            return self._pool.submit(function, *args, **kwargs)
        except BrokenExecutor:
            del self._pool  # its process died: start another
            return self._pool.submit(function, *args, **kwargs)

    def end(self) -> None:
        """Kills the process, also during a computation. The next computation starts another process."""
        pool = vars(self).pop("_pool", None)
        if pool is not None:
            _kill(pool)
            pool.shutdown(wait=False, cancel_futures=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = True) -> None:
        """Kills the process, also during a computation. The task of that computation is retried."""
        if "_pool" in vars(self):
            _kill(self._pool)
            self._pool.shutdown(wait, cancel_futures=cancel_futures)


def _kill(pool: ProcessPoolExecutor) -> None:
    for process in list((pool._processes or {}).values()):  # no public API before Python 3.14
        process.kill()


def _begin(at_start: Callable[[], None] | None) -> None:
    _end_with_parent()
    if at_start:
        at_start()


def _end_with_parent() -> None:
    def watch() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()
