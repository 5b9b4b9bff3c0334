"""Work shared out over processes, where any of them may die: nothing is lost, and one bad item stops only itself (I11).

`ProcessPoolExecutor` gives up for good when a worker is killed. `LocalExecutor` starts a new pool instead, and
`carry_out` sends again what was under way: first one piece at a time, so that the piece that kills its worker is
known; that piece is halved until one item is left, and an item that has killed two workers is set aside.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK: Final = 25  # letters a worker takes at once: a second or two of work, so that little is done again
_STRIKES: Final = 2


class LocalExecutor(Executor):
    """Spawned processes of this machine; a pool whose worker died is replaced at the next `submit`."""

    def __init__(self, workers: int, *, warm_up: Callable[[], None] | None = None) -> None:
        self.workers = workers
        self._warm_up = warm_up
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        try:
            return self._ready().submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._drop()
            return self._ready().submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)
            self._pool = None

    def _ready(self) -> ProcessPoolExecutor:
        if self._pool is None:  # spawn: forking would copy Pango's and fontconfig's state; no tasks-per-child limit,
            self._pool = ProcessPoolExecutor(  # which hangs under spawn on Python 3.11
                self.workers, mp_context=multiprocessing.get_context("spawn"), initializer=self._warm_up
            )
        return self._pool

    def _drop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Lost(Generic[Item]):
    """An item whose worker died every time it was tried."""

    item: Item


@dataclass(frozen=True, slots=True)
class _Piece(Generic[Item]):
    items: tuple[Item, ...]
    strikes: int = 0


def carry_out(
    work: Callable[[tuple[Item, ...]], list[Result]], items: Sequence[Item], executor: Executor, *, chunk: int = CHUNK
) -> Iterator[list[Result] | Lost[Item]]:
    """The results of `work` over pieces of `items`, as they come; `Lost` for an item that cannot be worked.

    `work` and the items must pickle. Pieces come back whole, in no fixed order. What `work` raises is raised here.
    """
    ahead = 2 * int(getattr(executor, "workers", None) or getattr(executor, "_max_workers", None) or processors()) + 1
    waiting = deque(_Piece(tuple(items[start : start + chunk])) for start in range(0, len(items), chunk))
    suspects: deque[_Piece[Item]] = deque()
    under_way: dict[Future[list[Result]], _Piece[Item]] = {}
    while waiting or suspects or under_way:
        if suspects:  # one at a time, so that a death has one cause
            piece = suspects.popleft()
            try:
                yield executor.submit(work, piece.items).result()
            except Exception as death:
                if not _killed(death):
                    raise
                yield from _narrowed(piece, suspects)
            continue
        while waiting and len(under_way) < ahead:
            piece = waiting.popleft()
            under_way[executor.submit(work, piece.items)] = piece
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        if any(_killed(future.exception()) for future in done):  # the pool is gone, and with it all it had taken on
            done, _ = wait(under_way)
        for future in done:
            piece = under_way.pop(future)
            fault = future.exception()
            if _killed(fault):
                suspects.append(piece)
            elif fault is None:
                yield future.result()
            else:
                for other in under_way:
                    other.cancel()
                raise fault


def _narrowed(piece: _Piece[Item], suspects: deque[_Piece[Item]]) -> Iterator[Lost[Item]]:
    if len(piece.items) > 1:
        half = len(piece.items) // 2
        suspects.extendleft((_Piece(piece.items[half:]), _Piece(piece.items[:half])))
    elif piece.strikes + 1 >= _STRIKES:
        yield Lost(piece.items[0])
    else:
        suspects.appendleft(_Piece(piece.items, piece.strikes + 1))


def _killed(fault: BaseException | None) -> bool:
    # Dask's KilledWorker is named and not imported: the library is an extra.
    return isinstance(fault, BrokenExecutor) or type(fault).__name__ == "KilledWorker"
