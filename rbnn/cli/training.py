"""Gives the commands that train networks their options, from the table of training settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, get_origin

import typer

from rbnn.runs.setting import Setting
from rbnn.runs.settings import TABLE

Given = dict[str, Any]
"""The settings that were typed, by name, as ``Settings`` takes them."""

GIVEN = "given"
"""The parameter of a command in whose place its help lists the options."""


def training_options(
    *,
    only: Collection[str] = tuple(TABLE),
    after: Mapping[str, str] | None = None,
    defaults: Mapping[str, object] | None = None,
    helps: Mapping[str, str] | None = None,
    negatable: bool = False,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace a command's parameter ``given`` by options for the settings of the table.

    Args:
        only: names of the settings that the command has.
        after: parameter of the command after which the option of a setting is listed, by setting.
        defaults: of this command where they differ from the table's; the command applies them.
        helps: help texts of this command where they differ from the table's.
        negatable: whether a switch can also be turned off, as in ``--no-superpose``.
    """
    chosen = {name: TABLE[name] for name in TABLE if name in only}
    places = after or {}

    def parameter(setting: Setting) -> inspect.Parameter:
        text = (helps or {}).get(setting.name, setting.help)
        if needed := [chosen[name].option for name in setting.needs if name in chosen]:
            text += f" Needs {' or '.join(needed)}."
        default = (defaults or {}).get(setting.name, setting.default)
        if default not in (None, False, {}) and "Default:" not in text:
            text += f" Default: {default}."
        option = setting.option
        if setting.type is bool and negatable:
            option += f"/--no-{option.removeprefix('--')}"
        kind = list[str] if get_origin(setting.type) is dict else setting.type
        return inspect.Parameter(
            setting.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[kind | None, typer.Option(option, help=text)],
        )

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters: list[inspect.Parameter] = []
        for one in inspect.signature(command, eval_str=True).parameters.values():
            here = [name for name in chosen if places.get(name, GIVEN) == one.name]
            parameters += [] if one.name == GIVEN else [one]
            parameters += [parameter(chosen[name]) for name in here]

        def run(**values: Any) -> None:
            typed = {name: values.pop(name) for name in chosen}
            given = {
                name: chosen[name].read(value)
                for name, value in typed.items()
                if value is not None and value != []
            }
            command(given=given, **values)

        run.__doc__ = command.__doc__
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return run

    return decorate
