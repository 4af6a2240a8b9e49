"""Scenarios: what is to be planned."""

from __future__ import annotations

import warnings
from os import PathLike
from typing import Any

from . import _frames
from ._errors import InputWarning
from ._isocost import Scenario as _Core


class Scenario:
    """Accelerators, models, service classes and servers; never changed, and sent anywhere by pickle."""

    _core: _Core

    def __init__(self, core: _Core) -> None:
        self._core = core

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Scenario:
        """Reads a directory, a JSON or YAML file, or a workbook (.xlsx, .ods)."""
        return cls._warned(_Core.load(path))

    @classmethod
    def loads(cls, text: str, name: str = "scenario") -> Scenario:
        """Reads a JSON or YAML text; ``name`` stands for it in messages."""
        return cls._warned(_Core.loads(text, name))

    @classmethod
    def from_frames(
        cls,
        accelerators: Any,
        models: Any,
        classes: Any,
        servers: Any,
        capacity: Any = None,
        optimizer: Any = None,
        nodes: Any = None,
    ) -> Scenario:
        """Takes the sections as frames of pandas or polars, or rows as mappings.

        Columns are the fields of ``isocost reference``; a field of a field has the path of its keys
        for a name (``perfParms.alpha``). Of a service class there is a row for each of its targets
        (``modelTargets.model``, ``modelTargets.slo-itl``). ``optimizer`` is one row. ``nodes`` are
        the machines that cards come in, with their cards by type (``cards.H100``).
        """
        given = {
            "accelerators": accelerators,
            "models": models,
            "classes": classes,
            "servers": servers,
            "capacity": capacity,
            "optimizer": optimizer,
            "nodes": nodes,
        }
        frames = [(name, _frames.arrow(data)) for name, data in given.items() if data is not None]
        return cls._warned(_Core.from_frames(frames))

    @classmethod
    def of(cls, scenario: Scenario | str | PathLike[str]) -> Scenario:
        """A scenario as it is, or the one at a path."""
        return scenario if isinstance(scenario, Scenario) else cls.load(scenario)

    @classmethod
    def _warned(cls, core: _Core) -> Scenario:
        for text in core.warnings:
            warnings.warn(text, InputWarning, stacklevel=3)
        return cls(core)

    def with_loads(self, loads: Any) -> Scenario:
        """The same under other loads: a frame with ``server``, ``arrival_rate_per_min``,
        ``input_tokens`` and ``output_tokens``. Servers that it does not name keep theirs, and what
        was sized for this scenario is not sized anew."""
        return Scenario(self._core.with_loads(_frames.arrow(loads)))

    @property
    def warnings(self) -> list[str]:
        """What was read but may not be meant."""
        return self._core.warnings

    @property
    def accelerators(self) -> Any:
        """Accelerators as they are written, as a frame."""
        return self._section("accelerators")

    @property
    def models(self) -> Any:
        """Profiles of models on accelerators, as a frame."""
        return self._section("models")

    @property
    def classes(self) -> Any:
        """Service classes as a frame, a row a target."""
        return self._section("classes")

    @property
    def servers(self) -> Any:
        """Servers as they are written, as a frame; ``loads`` has what is put over them."""
        return self._section("servers")

    @property
    def capacity(self) -> Any:
        """Cards that exist, as a frame; ``None`` where nothing is said of them."""
        return self._section("capacity")

    @property
    def optimizer(self) -> Any:
        """What the scenario asks of the optimizer, as a frame of one row; ``None`` if nothing."""
        return self._section("optimizer")

    @property
    def nodes(self) -> Any:
        """Machines that cards come in, as a frame; ``None`` where cards are counted alone."""
        return self._section("nodes")

    @property
    def loads_frame(self) -> Any:
        """Loads as they are planned for, as a frame that ``with_loads`` takes."""
        return _frames.frame(self._core.loads_table())

    def _section(self, name: str) -> Any:
        table = self._core.table(name)
        return None if table is None else _frames.frame(table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and self._core == other._core

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._core,)

    def __repr__(self) -> str:
        servers, classes, models, accelerators, types = map(len, self._core.names())
        return (
            f"<Scenario {self._core.name!r}: {servers} servers, {classes} classes, {models} models, "
            f"{accelerators} accelerators of {types} card types>"
        )
