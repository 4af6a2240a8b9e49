"""Sweeps: one scenario at many points, on this machine or on a cluster.

On an executor a sweep is the shards of the command line: a worker runs one and sends its journal
back, and the journals are merged as ``isocost merge`` does it. The table is the same to the byte.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import pathlib
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from . import _frames
from ._bar import Listener, bar
from ._errors import InputWarning
from ._isocost import Scenario as _Core
from ._isocost import call, csv_of, shard_directory, table_of_csv
from ._scenario import Scenario

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._options import SweepOptions
    from ._plot import SweepPlots

Vary = Mapping[str, Any] | Sequence[str]

_JOURNAL = "journal.jsonl"
# A worker that is lost costs at most the shard that it was at.
_SHARDS_A_WORKER = 4
_RETRIES = 3


class Sweep:
    """What a sweep found: ``points`` has a row for each point."""

    def __init__(self, csv: bytes, axes: Sequence[str]) -> None:
        self.csv = csv
        self.axes = list(axes)

    @property
    def points(self) -> Any:
        """A row for each point, as a frame: its axes, status, cost, bound and cards by type."""
        return _frames.frame(table_of_csv(self.csv))

    @property
    def plot(self) -> SweepPlots:
        """Plots in matplotlib."""
        from ._plot import SweepPlots

        return SweepPlots(self)

    def __repr__(self) -> str:
        return f"<Sweep over {', '.join(self.axes)}: {len(table_of_csv(self.csv))} points>"


def sweep(
    scenario: Scenario | str | PathLike[str],
    vary: Vary | None = None,
    *,
    points: Any = None,
    out: str | PathLike[str] | None = None,
    executor: Any = None,
    shards: int | None = None,
    progress: bool = True,
    **options: Unpack[SweepOptions],
) -> Sweep:
    """Plans one scenario at many points: loads, card counts, prices, objectives, formulations.

    ``vary`` is a mapping of axes to values, ``{"load": "0.5..2/16", "formulation": ["single",
    "mixed"]}``, or texts as the command line takes them; ``points`` is a frame, or the path of a
    CSV file, with the axes for columns. ``out`` keeps what is finished: the same call goes on from
    there.

    ``executor`` is a ``concurrent.futures`` executor, a Dask client, or the module ``ray``:
    ``shards`` parts of the sweep go to it, and the result is the same to the byte. ``progress``
    shows a bar where tqdm is installed.
    """
    scenario = Scenario.of(scenario)
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(_directory(out)))
        asked: dict[str, Any] = {**options, **_where(vary, points, directory)}
        listen = stack.enter_context(bar(progress, "point"))
        if executor is None:
            _run(scenario._core, asked, directory, None, listen)
        else:
            _spread(scenario._core, asked, directory, executor, shards, listen)
            call("merge", [directory], {"out": directory / "points.csv"})
        csv = (directory / "points.csv").read_bytes()
    columns = table_of_csv(csv).columns
    return Sweep(csv, columns[1 : columns.index("status")])


def _where(vary: Vary | None, points: Any, directory: pathlib.Path) -> dict[str, Any]:
    """The axes, or the points, as the command line takes them."""
    if isinstance(vary, Mapping):
        vary = [f"{axis}={_values(values)}" for axis, values in vary.items()]
    asked: dict[str, Any] = {}
    if vary is not None:
        asked["vary"] = [vary] if isinstance(vary, str) else list(vary)
    if points is not None and not isinstance(points, (str, PathLike)):
        points = csv_of(_frames.arrow(points)).decode()
        asked["points_text"] = points
    elif points is not None:
        asked["points_text"] = pathlib.Path(points).read_text(encoding="utf-8-sig")
    return asked


def _values(values: Any) -> str:
    if isinstance(values, (str, int, float)):
        return str(values)
    return ",".join(str(value) for value in values)


@contextlib.contextmanager
def _directory(out: str | PathLike[str] | None) -> Iterator[str]:
    if out is not None:
        yield os.fspath(out)
        return
    with tempfile.TemporaryDirectory(prefix="isocost-") as directory:
        yield directory


def _run(
    core: _Core,
    asked: Mapping[str, Any],
    directory: pathlib.Path,
    shard: str | None,
    listen: Listener | None,
) -> None:
    """Runs a sweep, or one of its shards, in this process."""
    options = {name: value for name, value in asked.items() if name != "points_text"}
    options |= {"out": directory, "shard": shard}
    with tempfile.TemporaryDirectory(prefix="isocost-") as temporary:
        if "points_text" in asked:
            options["points"] = pathlib.Path(temporary, "points.csv")
            options["points"].write_text(asked["points_text"], encoding="utf-8")
        _, said, _ = call("sweep", [core.name], options, [(core.name, core)], listen)
    for text in said:
        warnings.warn(text, InputWarning, stacklevel=4)


def run_shard(core: _Core, asked: Mapping[str, Any], shard: str) -> tuple[str, bytes]:
    """Runs one shard where a worker is; returns its directory's name and its journal."""
    with tempfile.TemporaryDirectory(prefix="isocost-") as directory:
        _run(core, {"jobs": 1, **asked}, pathlib.Path(directory), shard, None)
        (journal,) = pathlib.Path(directory).glob(f"*/{_JOURNAL}")
        return journal.parent.name, journal.read_bytes()


def _spread(
    core: _Core,
    asked: Mapping[str, Any],
    directory: pathlib.Path,
    executor: Any,
    shards: int | None,
    listen: Listener | None,
) -> None:
    """Runs the shards on an executor, and what is left of them here."""
    submit, workers = _submitter(executor)
    count = shards or _SHARDS_A_WORKER * workers
    if count < 2:
        raise ValueError("shards: expected at least 2")
    names = [f"{index}/{count}" for index in range(1, count + 1)]
    # What an earlier call finished is read, and held against this sweep, by the run below.
    left = [name for name in names if not (directory / (shard_directory(name) or "") / _JOURNAL).exists()]
    futures = [submit(run_shard, core, dict(asked), name) for name in left]
    lost = 0
    try:
        done = count - len(left)
        for future in concurrent.futures.as_completed(futures):
            try:
                name, journal = future.result()
            except concurrent.futures.BrokenExecutor:
                lost += 1
                continue
            (directory / name).mkdir(parents=True, exist_ok=True)
            (directory / name / _JOURNAL).write_bytes(journal)
            done += 1
            if listen is not None:
                listen(done, count)
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    if lost:
        text = f"the executor lost a worker and stopped: {lost} of {count} shards are run here"
        warnings.warn(text, InputWarning, stacklevel=4)
    for name in names:
        _run(core, asked, directory, name, None)


def _submitter(executor: Any) -> tuple[Callable[..., concurrent.futures.Future[Any]], int]:
    """How work goes to an executor, and how many workers it has."""
    if isinstance(executor, concurrent.futures.Executor):
        workers = getattr(executor, "_max_workers", None) or os.cpu_count() or 1
        return executor.submit, workers
    if hasattr(executor, "get_executor"):
        workers = max(1, sum(executor.nthreads().values()))
        return executor.get_executor(pure=False, retries=_RETRIES).submit, workers
    if getattr(executor, "__name__", None) == "ray":
        workers = max(1, int(executor.cluster_resources().get("CPU", 1)))
        remote = executor.remote(max_retries=_RETRIES)(run_shard)
        return lambda _, *args: remote.remote(*args).future(), workers
    raise TypeError(
        f"executor: {executor!r} is no concurrent.futures executor, no Dask client and not ray"
    )
