"""Exceptions and warnings of isocost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, with which entity and field, what it is, and what to do about it."""

    place: str
    entity: str
    what: str
    remedy: str

    def __str__(self) -> str:
        where = "".join(f"{part}: " for part in (self.place, self.entity) if part)
        return where + self.what + (f"; {self.remedy}" if self.remedy else "")


class IsocostError(Exception):
    """Something that isocost cannot do; ``problems`` holds each reason."""

    problems: tuple[Problem, ...]

    def __init__(self, text: str, problems: Iterable[Iterable[str]] = ()) -> None:
        super().__init__(text)
        self.problems = tuple(Problem(*problem) for problem in problems)

    def __reduce__(self) -> tuple[object, ...]:
        problems = [(p.place, p.entity, p.what, p.remedy) for p in self.problems]
        return type(self), (self.args[0], problems)


class InputError(IsocostError, ValueError):
    """The input is wrong: ``problems`` holds every problem at once."""


class SolveError(IsocostError, RuntimeError):
    """Something failed that the input is not to blame for."""


class InputWarning(UserWarning):
    """What was read but may not be meant."""
