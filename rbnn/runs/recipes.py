"""Recipes: sets of training settings by name, for those who do not want to choose each.

An option that is typed wins over the recipe. Settings that only fit together go together: a length
that is typed replaces the recipe's length, another ``--arch`` drops the recipe's shape, and a trunk
is only meant for the recipe's own number of layers, under keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rbnn.runs.errors import TrainingError
from rbnn.runs.settings import TABLE

SHAPE = ("width", "depth", "stages")
LENGTH = ("epochs", "steps", "minutes")


@dataclass(frozen=True)
class Recipe:
    """One set of settings.

    Args:
        about: what it is for, one line.
        settings: by their names in the table.
    """

    about: str
    settings: Mapping[str, Any]

    @property
    def options(self) -> str:
        """The settings as they are typed."""
        words = (word for name, one in self.settings.items() for word in TABLE[name].words(one))
        return " ".join(words)


_RESNET = {"architecture": "resnet", "stages": 3, "superpose": True, "baseline": True}
_OWN_ENDS = {"stem_bits": 8, "classifier_bits": 8, "distill": 0.5}
# docs/training.md says which of these values are measured.
RECIPES: dict[str, Recipe] = {
    "quick": Recipe(
        "a first result in minutes, in a quarter of the bits",
        {**_RESNET, "width": 32, "depth": 7, "steps": 800, "trunk": 6},
    ),
    "standard": Recipe(
        "what you would ship",
        {
            **_RESNET,
            **{"width": 64, "depth": 8, "steps": 8000, "sampling": 0.5, "trunk": 7},
            **_OWN_ENDS,
        },
    ),
    "best": Recipe(
        "more bits and twice the steps",
        {
            **_RESNET,
            **{"width": 64, "depth": 10, "steps": 16_000, "sampling": 0.5, "trunk": 9},
            **_OWN_ENDS,
        },
    ),
}


def with_recipe(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a recipe and those that were typed.

    Args:
        name: of the recipe.
        given: fields of ``Settings`` that were typed.

    Raises:
        TrainingError: there is no such recipe.
    """
    if name not in RECIPES:
        raise TrainingError(
            f"Unknown recipe {name!r}.", f"Recipes: {', '.join(RECIPES)}; see docs/training.md."
        )
    values = dict(RECIPES[name].settings)
    other = {one for one in ("architecture", *SHAPE) if given.get(one, values[one]) != values[one]}
    dropped: set[str] = set()
    if "architecture" in other:
        dropped |= {*SHAPE, "trunk"}
    if other - {"width"} or given.get("scheme") == "none":
        dropped.add("trunk")
    if any(one in given for one in LENGTH):
        dropped |= {*LENGTH}
    if "minutes" in given or given.get("baseline") is False:
        dropped |= {"superpose", "distill"}  # no single-task networks that could be trained first
    kept = {one: value for one, value in values.items() if one not in dropped}
    return {**kept, **given}


def recipe_help() -> str:
    """The help of ``--recipe``."""
    sets = " ".join(f"{name}: {one.about} ({one.options})." for name, one in RECIPES.items())
    return f"A set of options; each that you type yourself wins over it. {sets}"
