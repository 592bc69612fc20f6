"""Records side by side on the cores at hand, told in the order they were named, with a bar on a terminal's stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Task], Result], tasks: Sequence[Task], jobs: int | None, title: str
) -> Iterator[Result]:
    """Yields work(task) for each task, in order. A single task runs in this process.

    `work` is a function of a module, so that another process can find it.
    """
    jobs = min(len(tasks), len(os.sched_getaffinity(0)) if jobs is None else jobs)
    results = map(work, tasks) if jobs <= 1 else _in_processes(work, tasks, jobs)
    if len(tasks) < 2 or not sys.stderr.isatty():
        yield from results
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(results, total=len(tasks))


def _in_processes(work: Callable[[Task], Result], tasks: Sequence[Task], jobs: int) -> Iterator[Result]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from device_pipeline.no_network import install

    # Spawned, not forked: the bar has a thread, and a fork would copy its locks as they are.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=install) as pool:
        try:
            yield from pool.map(work, tasks)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
