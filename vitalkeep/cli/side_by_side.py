"""Records side by side on the cores at hand, told in the order they were named, with a bar on a terminal's stderr."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

Task = TypeVar("Task")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Task], Result], tasks: Sequence[Task], jobs: int | None, title: str, died: Result | None = None
) -> Iterator[Result]:
    """Yields work(task) for each task, in order. A single task runs in this process.

    `work` is a function of a module, so that another process can find it. `died` stands for the result of a task whose
    process the system ended; without it that raises BrokenProcessPool.
    """
    jobs = min(len(tasks), len(os.sched_getaffinity(0)) if jobs is None else jobs)
    results = map(work, tasks) if jobs <= 1 else _in_processes(work, tasks, jobs, died)
    if len(tasks) < 2 or not sys.stderr.isatty():
        yield from results
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(results, total=len(tasks))


def _in_processes(
    work: Callable[[Task], Result], tasks: Sequence[Task], jobs: int, died: Result | None
) -> Iterator[Result]:
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children

    done = 0
    try:
        with _pool(jobs) as pool:
            try:
                # Not pool.map: when it is left it cancels what waits, and a pool that then loses its workers prints a
                # traceback over each cancelled task (seen on CPython 3.11).
                waiting = deque(pool.submit(work, task) for task in tasks)
                while waiting:
                    result = waiting.popleft().result()
                    done += 1
                    yield result
            except BaseException:
                for worker in active_children():  # nobody waits for what they still do
                    worker.terminate()
                raise
    except BrokenProcessPool:
        if died is None:
            raise
        # Which task it was nobody can tell, and it took the others with it: each gets a process of its own now.
        for task in tasks[done:]:
            try:
                with _pool(1) as pool:
                    result = pool.submit(work, task).result()
            except BrokenProcessPool:
                result = died
            yield result


def _pool(jobs: int) -> ProcessPoolExecutor:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Spawned, not forked: the bar has a thread, and a fork would copy its locks as they are.
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin)


def _begin() -> None:
    import signal

    from device_pipeline.no_network import install

    install()
    # A Ctrl-C reaches the whole group; whoever started us ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
