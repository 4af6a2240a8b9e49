"""Plots in matplotlib, in the colours of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._isocost import colors, table_of_csv

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._plan import Plan
    from ._sweep import Sweep


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    _, made = plt.subplots()
    return made


class PlanPlots:
    """Plots of a plan; each takes the axes to draw on, and returns them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def cost(self, ax: Axes | None = None) -> Axes:
        """What each server costs, by accelerator."""
        table = self._plan._core.servers().to_dict()
        ax = _axes(ax)
        names = list(dict.fromkeys(table["server"]))
        ends = dict.fromkeys(names, 0.0)
        palette = colors()
        for color, accelerator in enumerate(dict.fromkeys(table["accelerator"])):
            costs: dict[str, float] = {}
            parts = (table["server"], table["accelerator"], table["cost_cents_per_h"])
            for server, on, cents in zip(*parts, strict=True):
                if on == accelerator:
                    costs[server] = costs.get(server, 0.0) + cents
            ax.barh(
                list(costs),
                list(costs.values()),
                left=[ends[server] for server in costs],
                color=palette[color % len(palette)],
                label=accelerator,
            )
            for server, cents in costs.items():
                ends[server] += cents
        ax.set_yticks(names)
        ax.invert_yaxis()
        ax.set_xlabel(f"Cost, {self._plan.costs_in}")
        ax.legend()
        return ax

    def cards(self, ax: Axes | None = None) -> Axes:
        """Cards in use beside those that exist, by type."""
        table = self._plan._core.usage().to_dict()
        ax = _axes(ax)
        palette = colors()
        there = [0 if count is None else count for count in table["available"]]
        ax.barh(table["type"], there, color="#e3e7ed", label="exist")
        ax.barh(table["type"], table["cards"], color=palette[0], height=0.5, label="in use")
        ax.invert_yaxis()
        ax.set_xlabel("Cards")
        ax.legend()
        return ax


class SweepPlots:
    """Plots of a sweep; each takes the axes to draw on, and returns them."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep

    def cost(self, axis: str | None = None, ax: Axes | None = None) -> Axes:
        """The cost against an axis with numbers (the first one), a line for each combination of
        the others; where no plan serves all, the line is broken."""
        table = table_of_csv(self._sweep.csv).to_dict()
        axis = axis or next(
            (a for a in self._sweep.axes if _is_numeric(table[a])), self._sweep.axes[0]
        )
        others = [other for other in self._sweep.axes if other != axis]
        lines: dict[str, list[tuple[Any, Any]]] = {}
        for row in range(len(table[axis])):
            label = ", ".join(f"{other} {table[other][row]}" for other in others)
            point = (table[axis][row], table["cost_cents_per_h"][row])
            lines.setdefault(label, []).append(point)
        ax = _axes(ax)
        palette = colors()
        for color, (label, points) in enumerate(lines.items()):
            ordered = sorted(points, key=_place) if _is_numeric(table[axis]) else points
            values = [point[0] for point in ordered]
            costs = [float("nan") if point[1] is None else point[1] for point in ordered]
            ax.plot(values, costs, marker="o", color=palette[color % len(palette)], label=label or None)
        ax.set_xlabel(axis)
        ax.set_ylabel("Cost, cents/h")
        ax.set_ylim(bottom=0)
        if others:
            # Costs start at 0, so that lines seldom come down there.
            ax.legend(loc="lower right")
        return ax


def _place(point: tuple[Any, Any]) -> Any:
    return point[0]


def _is_numeric(values: list[Any]) -> bool:
    return all(isinstance(value, (int, float)) for value in values)
