"""Plans: which accelerator, how many replicas and which batch size for every server."""

from __future__ import annotations

import html
import json
import warnings
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from . import _frames
from ._bar import bar
from ._errors import InputWarning
from ._isocost import Plan as _Core
from ._isocost import make_plan
from ._scenario import Scenario

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._options import PlanOptions
    from ._plot import PlanPlots

Status = Literal["optimal", "feasible", "infeasible", "unknown"]


class Plan:
    """A plan, or that there is none: ``status`` says which."""

    _core: _Core

    def __init__(self, core: _Core) -> None:
        self._core = core

    @property
    def status(self) -> Status:
        """``"optimal"``: no plan costs less, within the gap asked for. ``"feasible"``: time was up
        before that was proven. ``"infeasible"``: no plan serves every server; ``notes`` say why.
        ``"unknown"``: time was up before a plan was found."""
        return self._core.status

    @property
    def total_cost(self) -> float | None:
        """Cents per hour; ``None`` where there is no plan."""
        return self._core.total_cost

    @property
    def bound(self) -> float | None:
        """Cents per hour below which no plan lies; ``None`` where nothing is proven."""
        return self._core.bound

    @property
    def gap(self) -> float | None:
        """What may still be saved, as a share of the cost; ``None`` where there is no plan."""
        return self._core.gap

    @property
    def notes(self) -> list[str]:
        """How the plan was found, and what stands in its way."""
        return self._core.notes

    @property
    def seconds(self) -> tuple[float, float]:
        """Seconds of sizing and of solving."""
        return self._core.seconds

    @property
    def servers(self) -> Any:
        """One row for each part of a server's placement, as a frame."""
        return _frames.frame(self._core.servers())

    @property
    def usage(self) -> Any:
        """One row for each type of card, as a frame."""
        return _frames.frame(self._core.usage())

    @property
    def candidates(self) -> Any:
        """One row for each server and accelerator, as a frame: what it would give, or why not."""
        return _frames.frame(self._core.candidates())

    @property
    def budgets(self) -> Any:
        """One row for each limit of a budget, as a frame."""
        return _frames.frame(self._core.budgets())

    @property
    def nodes(self) -> Any:
        """One row for each server in nodes that are filled alike, as a frame: which replicas share
        one. No rows where cards do not come in nodes."""
        return _frames.frame(self._core.nodes())

    def explain(self) -> dict[str, Any]:
        """Why the plan is as it is and what would change it, or why there is none: as
        ``isocost explain --format json``. Empty for a heuristic's plan, which proves nothing."""
        text = self._core.explain()
        found: dict[str, Any] = json.loads(text) if text is not None else {}
        return found

    def report(self, path: str | PathLike[str] | None = None) -> str:
        """The report, one HTML file that needs no network; written to ``path`` if it is given."""
        page = self._core.report()
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(page)
        return page

    def charts(self) -> dict[str, str]:
        """The report's charts by name, each as SVG."""
        return dict(self._core.charts())

    def write(self, path: str | PathLike[str]) -> None:
        """Writes plan.json and the tables as CSV into a directory, or a workbook (``.xlsx``)."""
        self._core.write(path)

    def to_dict(self) -> dict[str, Any]:
        """The plan as ``plan.json`` has it."""
        found: dict[str, Any] = json.loads(self._core.to_json())
        return found

    @property
    def costs_in(self) -> str:
        """What costs are in: ``EUR cents/h`` where the scenario names its currency, else ``cents/h``."""
        words: str = self.to_dict()["money"]["costsIn"]
        return words

    @property
    def plot(self) -> PlanPlots:
        """Plots in matplotlib."""
        from ._plot import PlanPlots

        return PlanPlots(self)

    def _repr_html_(self) -> str:
        page = html.escape(self._core.report(), quote=True)
        return f'<iframe srcdoc="{page}" style="width: 100%; height: 40em; border: 0"></iframe>'

    def __repr__(self) -> str:
        if self.total_cost is None:
            return f"<Plan: {self.status}>"
        bound = "none" if self.bound is None else f"{self.bound:g}"
        return f"<Plan: {self.status}, {self.total_cost:g} {self.costs_in}, bound {bound}>"


def plan(
    scenario: Scenario | str | PathLike[str], *, progress: bool = True, **options: Unpack[PlanOptions]
) -> Plan:
    """Plans a fleet: which accelerator, how many replicas and which batch size for every server,
    at proven least cost. ``options`` are those of ``isocost plan``. While ``certify`` simulates,
    ``progress`` shows a bar where tqdm is installed."""
    with bar(progress and bool(options.get("certify")), "request") as listen:
        core, said = make_plan(Scenario.of(scenario)._core, dict(options), listen)
    for text in said:
        warnings.warn(text, InputWarning, stacklevel=2)
    return Plan(core)
