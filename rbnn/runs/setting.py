"""What the table of training settings, :mod:`rbnn.runs.settings`, says of one setting."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel

from rbnn.numbers import MOST_DIGITS, cut, whole_number
from rbnn.runs.errors import TrainingError

T = TypeVar("T")


class _Kept:
    """The type of :data:`KEPT`."""


KEPT: Final = _Kept()
"""In place of a value: a single-task network has the value of its run."""


@dataclass(frozen=True)
class Allowed:
    """Which values a setting may have.

    Args:
        words: end of a sentence that begins with ``--option must be``.
        holds: whether a value is one of them.
        advice: why so, or what to do.
    """

    words: str
    holds: Callable[[Any], bool]
    advice: str = ""


ABOVE_ZERO = Allowed("above 0 and finite", lambda value: 0 < value < math.inf)


def between(low: float, high: float) -> Allowed:
    """Values from ``low`` to ``high``, both included."""
    return Allowed(f"from {low} to {high}", lambda value: low <= value <= high)


@dataclass(frozen=True)
class Row:
    """A row in the report's table of settings. Several settings may share one.

    Args:
        title: on its left.
        joint: between the texts of its settings.
        empty: its text where all of its settings are off.
    """

    title: str
    joint: str = ", "
    empty: str = "none"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting.

    Args:
        help: of its option. A default that is on, see :meth:`is_off`, is added to it.
        option: as typed; by default made from the name.
        allowed: None where the type tells everything, or where the network decides.
        needs: names of settings of which one must be on; otherwise this one is refused.
        refines: name of a setting without which this one has no effect. It is then neither checked
            nor shown.
        fixed: whether a resumed run keeps it; its option is then refused beside ``--resume``.
        in_comparison: whether all networks of a comparison have the same value, an option of
            ``rbnn bench accuracy``; otherwise the comparison decides for each network.
        single_task: its value in a single-task network; :data:`KEPT` for that of the run.
        row: of the report; None where the report shows what follows from it.
        text: its part of the row; ``{}`` stands for the value.
        remark: a sentence on the page of a comparison where it is on; ``{}`` stands for the value.
        form: how a setting with a text for each task is typed.
        example: of that.
        name, type, default: those of its field in the table, which fills them in.
    """

    help: str
    option: str = ""
    allowed: Allowed | None = None
    needs: tuple[str, ...] = ()
    refines: str | None = None
    fixed: bool
    in_comparison: bool = True
    single_task: object
    row: Row | None
    text: str = "{}"
    remark: str = ""
    form: str = ""
    example: str = ""
    name: str = ""
    type: Any = None
    default: Any = None

    def is_off(self, value: object) -> bool:
        """Whether ``value`` turns it off: a default of None, False, 0 or no entries does."""
        return not self.default and value == self.default

    def check(self, value: Any) -> None:
        """Refuse a value that is not allowed.

        Raises:
            TrainingError: names the option, what is allowed, and the value.
        """
        named = {self.option: value}
        if _maps(value):
            named = {f"{self.option} {task}": factor for task, factor in value.items()}
        for what, one in named.items():
            if isinstance(one, int) and abs(one) >= 10**MOST_DIGITS:
                raise TrainingError(f"{what} has too many digits.", "Omit it for the default.")
            if self.allowed is not None and not self.allowed.holds(one):
                raise TrainingError(
                    f"{what} must be {self.allowed.words}. Received: {one}.",
                    self.allowed.advice or "Omit it for the default.",
                )

    def show(self, value: Any) -> str:
        """Its part of the report's row."""
        if _maps(value):
            value = ", ".join(
                f"{name} by {one}" if isinstance(one, str) else f"{name} {one:g}"
                for name, one in value.items()
            )
        return self.text.format(value)

    def words(self, value: Any, number: Callable[[float], str] = str) -> list[str]:
        """The option as it is typed to give it this value.

        Args:
            value: of the setting.
            number: how a float is written.
        """

        def write(one: object) -> str:
            return number(one) if isinstance(one, float) else str(one)

        if _maps(value):
            pairs = (f"{name}={write(factor)}" for name, factor in value.items())
            return [word for pair in pairs for word in (self.option, pair)]
        if value is True:
            return [self.option]
        return [self.option, write(value)]

    def read(self, typed: Any) -> Any:
        """The value of the setting for what was typed; a list holds ``NAME=FACTOR`` or, where the
        setting has texts or counts, ``NAME=TEXT`` or ``NAME=COUNT``.

        Raises:
            TrainingError: a factor is no number, a text is missing, or a name is repeated.
        """
        if not isinstance(typed, list):
            return typed
        kind = get_args(self.type)[1]
        if kind is str:
            return parse_texts(self, typed)
        if kind is int:
            return parse_counts(self.option, typed)
        return parse_factors(self.option, typed)


def table_of(model: type[BaseModel]) -> dict[str, Setting]:
    """By name, what the fields of ``model`` say; each has one :class:`Setting`."""
    found = {}
    for name, field in model.model_fields.items():
        (setting,) = (one for one in field.metadata if isinstance(one, Setting))
        found[name] = dataclasses.replace(
            setting,
            name=name,
            type=field.annotation,
            default=field.get_default(call_default_factory=True),
            option=setting.option or "--" + name.replace("_", "-"),
        )
    return found


def parse_factors(option: str, texts: Sequence[str]) -> dict[str, float]:
    """Read ``NAME=FACTOR`` of every text that was given with ``option``.

    Raises:
        TrainingError: a factor is no number, or a name is repeated.
    """

    def read(text: str, value: str) -> float:
        try:
            return float(value)
        except ValueError:
            raise TrainingError(
                f"{option} must be NAME=FACTOR. Received: {text!r}.",
                f"For example: {option} cifar=2",
            ) from None

    return _by_name(option, texts, read, "factor")


def parse_counts(option: str, texts: Sequence[str]) -> dict[str, int]:
    """Read ``NAME=COUNT`` of every text that was given with ``option``.

    Raises:
        TrainingError: a count is no whole number, or a name is repeated.
    """

    def read(text: str, value: str) -> int:
        count = whole_number(value)
        if count is None:
            raise TrainingError(
                f"{option} must be NAME=COUNT. Received: {cut(text)!r}.",
                f"For example: {option} imu=128",
            )
        return count

    return _by_name(option, texts, read, "count")


def parse_texts(setting: Setting, texts: Sequence[str]) -> dict[str, str]:
    """Read ``NAME=TEXT`` of every text that was given with the setting's option.

    Raises:
        TrainingError: name or text is missing, or a name is repeated.
    """

    def read(text: str, value: str) -> str:
        if text.startswith("=") or not value:
            raise TrainingError(
                f"{setting.option} must be {setting.form}. Received: {text!r}.",
                f"For example: {setting.option} {setting.example}",
            )
        return value

    return _by_name(setting.option, texts, read, "value")


def _by_name(
    option: str, texts: Sequence[str], read: Callable[[str, str], T], kind: str
) -> dict[str, T]:
    """The values by name; ``read`` is called with the whole text and what follows its first ``=``.

    Raises:
        TrainingError: a name is repeated.
    """
    found: dict[str, T] = {}
    for text in texts:
        name, _, value = text.partition("=")
        one = read(text, value)
        if name in found:
            raise TrainingError(f"{option} names {name!r} twice.", f"Give each task one {kind}.")
        found[name] = one
    return found


def _maps(value: object) -> bool:
    """Whether a value is one of a setting that has a factor for each task."""
    return isinstance(value, Mapping)
