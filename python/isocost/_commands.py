"""The other commands, each by its own name: arguments are those of the command line."""

from __future__ import annotations

import contextlib
import json
import pathlib
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from . import _frames
from ._bar import Listener, bar
from ._errors import InputWarning
from ._isocost import call, csv_of, table_of_csv
from ._plan import Plan
from ._scenario import Scenario

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._options import (
        AnalyzeOptions,
        CompareOptions,
        DemandOptions,
        ExplainOptions,
        FitOptions,
        HorizonOptions,
        InitOptions,
        ProfileOptions,
        SimulateOptions,
        SizeOptions,
        StressOptions,
        VerifyOptions,
    )

Path = str | PathLike[str]


class Answer(dict[str, Any]):
    """What a command found, as its JSON; ``frame(key)`` is a list in it as a frame."""

    def frame(self, key: str) -> Any:
        """The list under ``key`` as a frame, in the library that is used."""
        return _frames.records(self[key])


def explain(scenario: Scenario | Path, **options: Unpack[ExplainOptions]) -> Answer:
    """Says why a plan is as it is, what would change it, or why there is none."""
    return _one("explain", scenario, options)


def stress(scenario: Scenario | Path, **options: Unpack[StressOptions]) -> Answer:
    """Says how far loads and service times may be off before a plan breaks its objectives."""
    return _one("stress", scenario, options)


def verify(
    scenario: Scenario | Path, plan: Plan | Path, proof: Path | bytes, **options: Unpack[VerifyOptions]
) -> Answer:
    """Checks a plan and the proof that ``isocost.plan(..., proof=path)`` wrote in exact arithmetic,
    by code that shares nothing with what made them; raises :class:`InputError` where one does not
    hold. ``proof`` is a path, or what stands there."""
    with _files() as file:
        paths = [_saved(plan, file), file("proof.txt", proof)]
        return Answer(_answer("verify", scenario, options, more=paths))


def compare(
    scenarios: Mapping[str, Scenario | Path] | Sequence[Scenario | Path],
    *,
    progress: bool = True,
    **options: Unpack[CompareOptions],
) -> Answer:
    """Puts purchases, contracts or years side by side: ``frame("purchases")`` has a row for each,
    by the names of the mapping, else those of the scenarios."""
    if not isinstance(scenarios, Mapping):
        scenarios = {Scenario.of(given)._core.name: given for given in scenarios}
    named = {name: Scenario.of(given) for name, given in scenarios.items()}
    with bar(progress, "scenario") as listen:
        found = _json(_run("compare", list(named), {**options, "format": "json"}, named, listen))
    return Answer(purchases=found)


def simulate(
    scenario: Scenario | Path,
    plan: Plan | Path | None = None,
    *,
    progress: bool = True,
    **options: Unpack[SimulateOptions],
) -> Answer:
    """Simulates a plan's replicas iteration by iteration, and holds its predictions against that;
    plans anew where no plan is given. ``progress`` shows a bar where tqdm is installed."""
    with _files() as file, bar(progress, "request") as listen:
        plan = None if plan is None else _saved(plan, file)
        return Answer(_answer("simulate", scenario, {**options, "plan": plan}, listen=listen))


def _saved(plan: Plan | Path, file: Any) -> Any:
    """Where a plan stands."""
    return file("plan.json", plan._core.to_json().encode()) if isinstance(plan, Plan) else plan


def horizon(
    scenario: Scenario | Path,
    profile: Any,
    prices: Any = None,
    period_cards: Any = None,
    **options: Unpack[HorizonOptions],
) -> Answer:
    """Plans for loads over time: what to reserve for all hours, and what to rent hour by hour.
    ``profile``, ``prices`` and ``period_cards`` are frames, or paths of CSV files."""
    given = {"profile": profile, "prices": prices, "period_cards": period_cards}
    with _files() as file:
        paths = {name: file(f"{name}.csv", data) for name, data in given.items()}
        return _one("horizon", scenario, {**options, **paths})


def size(scenario: Scenario | Path | None = None, **options: Unpack[SizeOptions]) -> Any:
    """Says what rate a replica's objectives allow, at every batch size: of a ``server`` of the
    scenario, or of parameters alone."""
    return _answer("size", scenario, options)


def analyze(scenario: Scenario | Path | None = None, **options: Unpack[AnalyzeOptions]) -> Any:
    """Says what latency a rate brings on one replica: of a ``server`` of the scenario, or of
    parameters alone."""
    return _answer("analyze", scenario, options)


def fit(bench: Any, *more: Any, **options: Unpack[FitOptions]) -> Answer:
    """Fits service parameters to measured latencies: frames, or paths of files."""
    with _files() as file:
        paths = [file(f"bench-{i}.csv", data) for i, data in enumerate((bench, *more), 1)]
        return Answer(_json(_run("fit", paths, {**options, "format": "json"})))


def profile(model: str, on: str, **options: Unpack[ProfileOptions]) -> Answer:
    """Estimates a service profile from a model's name and a card's, without measuring."""
    (entry,) = _json(_run("profile", [model], {**options, "on": on, "format": "json"}))
    return Answer(entry)


def init(
    models: Sequence[str], cards: Sequence[str], **options: Unpack[InitOptions]
) -> Scenario:
    """Makes a scenario from names of models and cards; every sensible tensor parallelism is an
    option."""
    names = {"models": ",".join(models), "cards": ",".join(cards)}
    text = _run("init", [], {**options, **names, "format": "yaml"})
    return Scenario.loads(text.decode(), "isocost.init")


def demand(trace: Any, **options: Unpack[DemandOptions]) -> Any:
    """Makes of a trace of requests what arrives hour by hour, as ``horizon`` takes it: a frame."""
    with _files() as file:
        csv = _run("demand", [file("trace.csv", trace)], dict(options))
        return _frames.frame(table_of_csv(csv))


def _one(command: str, scenario: Scenario | Path, options: Mapping[str, Any]) -> Answer:
    return Answer(_answer(command, scenario, options))


def _answer(
    command: str,
    scenario: Scenario | Path | None,
    options: Mapping[str, Any],
    more: Sequence[Any] = (),
    listen: Listener | None = None,
) -> Any:
    options = {**options, "format": "json"}
    if scenario is None:
        return _json(_run(command, [], options))
    scenario = Scenario.of(scenario)
    name = scenario._core.name
    return _json(_run(command, [name, *more], options, {name: scenario}, listen))


def _run(
    command: str,
    positional: Sequence[Any],
    options: Mapping[str, Any],
    scenarios: Mapping[str, Scenario] | None = None,
    listen: Listener | None = None,
) -> bytes:
    given = [(name, scenario._core) for name, scenario in (scenarios or {}).items()]
    output, said, _ = call(command, list(positional), dict(options), given, listen)
    for text in said:
        warnings.warn(text, InputWarning, stacklevel=4)
    return output


def _json(output: bytes) -> Any:
    found = json.loads(output) if output else {}
    if isinstance(found, list):
        return [Answer(item) if isinstance(item, dict) else item for item in found]
    return Answer(found) if isinstance(found, dict) else found


@contextlib.contextmanager
def _files() -> Iterator[Any]:
    """Puts what is given as bytes or frames into files while the block lasts; paths stay."""
    with tempfile.TemporaryDirectory(prefix="isocost-") as directory:

        def file(name: str, data: Any) -> Any:
            if data is None or isinstance(data, (str, PathLike)):
                return data
            content = data if isinstance(data, bytes) else csv_of(_frames.arrow(data))
            path = pathlib.Path(directory, name)
            path.write_bytes(content)
            return path

        yield file
