"""How far long work is: a bar where tqdm is installed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

Listener = Callable[[int, int], None]


@contextlib.contextmanager
def bar(shown: bool, unit: str) -> Iterator[Listener | None]:
    """What hears how many of how many parts are done; ``None`` where nothing is shown."""
    try:
        if not shown:
            raise ImportError
        from tqdm.auto import tqdm
    except ImportError:
        yield None
        return
    with tqdm(unit=unit, disable=None) as shows:

        def listen(done: int, of: int) -> None:
            shows.total = of
            shows.n = done
            shows.refresh()

        yield listen
