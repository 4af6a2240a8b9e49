"""Frames: tables in the library that the reader works with."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from ._isocost import Table

Library = Literal["pandas", "polars", "arrow"]

_library: Library | None = None


def use(library: Library | None) -> None:
    """Chooses what tables are handed out as: ``"pandas"``, ``"polars"``, or ``"arrow"`` for what
    any library with Arrow's PyCapsule interface takes. ``None``: pandas if it is installed, else
    polars, else the last."""
    global _library
    if library not in (None, "pandas", "polars", "arrow"):
        raise ValueError(f"{library!r}: expected 'pandas', 'polars' or 'arrow'")
    _library = library


def _chosen() -> Library:
    if _library is not None:
        return _library
    installed: tuple[Library, ...] = ("pandas", "polars")
    return next((library for library in installed if importlib.util.find_spec(library)), "arrow")


def frame(table: Table) -> Any:
    """The table in the library that is used."""
    library = _chosen()
    if library == "polars":
        return importlib.import_module("polars").DataFrame(table)
    if library == "pandas":
        return _pandas(table)
    return table


def _pandas(table: Table) -> Any:
    pandas = importlib.import_module("pandas")
    if importlib.util.find_spec("pyarrow"):
        return importlib.import_module("pyarrow").table(table).to_pandas()
    return pandas.DataFrame(table.to_dict(), columns=table.columns)


def records(rows: Iterable[Mapping[str, Any]]) -> Any:
    """Rows as a frame in the library that is used; lists of rows where there is none."""
    rows = list(rows)
    library = _chosen()
    if library == "polars":
        return importlib.import_module("polars").from_dicts(rows, infer_schema_length=None)
    if library == "pandas":
        return importlib.import_module("pandas").DataFrame(rows)
    return rows


def arrow(data: Any) -> Any:
    """Something with ``__arrow_c_stream__``: a frame, or rows as mappings, or columns as lists."""
    pandas_like = hasattr(data, "reset_index")
    if hasattr(data, "__arrow_c_stream__") and not pandas_like:
        return data
    if pandas_like and importlib.util.find_spec("pyarrow"):
        return importlib.import_module("pyarrow").Table.from_pandas(data, preserve_index=False)
    return _columns(data)


def _columns(data: Any) -> tuple[list[str], list[list[Any]]]:
    """Names and rows of Python values, without any library of frames."""
    if hasattr(data, "to_dict"):
        data = data.to_dict(orient="list")
    if isinstance(data, Mapping):
        whole = any(isinstance(value, (list, tuple)) for value in data.values())
        columns = {str(k): list(v) if whole else [v] for k, v in data.items()}
        rows = [list(row) for row in zip(*columns.values(), strict=True)]
        return list(columns), [[_plain(value) for value in row] for row in rows]
    given = list(data)
    names = list(dict.fromkeys(name for row in given for name in row))
    return names, [[_plain(row.get(name)) for name in names] for row in given]


def _plain(value: Any) -> Any:
    """A value as it stands in a cell: what is a list or a mapping as JSON."""
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value)
    return value.item() if hasattr(value, "item") else value
