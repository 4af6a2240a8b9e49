"""An exact minimum-cost capacity planner for LLM inference fleets.

>>> import isocost
>>> plan = isocost.plan("data/quickstart")          # doctest: +SKIP
>>> plan.total_cost, plan.bound                     # doctest: +SKIP
(1060.0, 1060.0)

Everything is done by the same code as the command ``isocost``, which the package brings too.
"""

from ._commands import (
    Answer,
    analyze,
    compare,
    demand,
    explain,
    fit,
    horizon,
    init,
    profile,
    simulate,
    size,
    stress,
    verify,
)
from ._errors import InputError, InputWarning, IsocostError, Problem, SolveError
from ._frames import use
from ._isocost import Table, __version__
from ._plan import Plan, plan
from ._scenario import Scenario
from ._sweep import Sweep, sweep

__all__ = [
    "Answer",
    "InputError",
    "InputWarning",
    "IsocostError",
    "Plan",
    "Problem",
    "Scenario",
    "SolveError",
    "Sweep",
    "Table",
    "__version__",
    "analyze",
    "compare",
    "demand",
    "explain",
    "fit",
    "horizon",
    "init",
    "plan",
    "profile",
    "simulate",
    "size",
    "stress",
    "sweep",
    "use",
    "verify",
]
