"""``--recipe``: a set of options by name; what the user types wins over it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import rbnn
from rbnn.cli.main import build
from rbnn.report.settings import settings, train_options
from rbnn.runs.errors import TrainingError
from rbnn.runs.recipes import RECIPES, with_recipe
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import check, start_run
from rbnn.tasks import TaskData

TRAINING = Path(rbnn.__file__).parents[1] / "docs" / "training.md"


def typed(*words: str) -> Any:
    return CliRunner().invoke(build(), words, env={"COLUMNS": "1000"})


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_works_and_is_documented(
    name: str, tmp_path: Path, data: list[TaskData]
) -> None:
    chosen = Settings(**with_recipe(name, {}))
    run = start_run(tmp_path, data, chosen, recipe=name)
    config = Run(run.folder).config()
    for setting, value in RECIPES[name].settings.items():
        assert getattr(config, setting) == value
    assert config.recipe == settings(config)["recipe"] == name
    assert config.single_task("colour", 3).recipe is None
    assert f"| `{name}` | `{RECIPES[name].options}` |" in TRAINING.read_text()
    words = train_options(config)
    assert "--recipe" not in words, "the options that it has are typed, also those changed by hand"
    assert words[words.index("--trunk") + 1] == str(RECIPES[name].settings["trunk"])


def test_the_help_says_what_each_recipe_sets() -> None:
    text = "".join(typed("train", "--help").output.split())
    for recipe in RECIPES.values():
        assert "".join(recipe.options.split()) in text.replace("│", "")


def test_what_is_typed_wins() -> None:
    found = with_recipe("standard", {"width": 32, "trunk": 2, "distill": 0.7, "superpose": False})
    assert (found["width"], found["trunk"], found["distill"]) == (32, 2, 0.7)
    assert not found["superpose"]
    assert found["depth"] == 8


@pytest.mark.parametrize(
    ("given", "absent"),
    [
        ({"epochs": 3}, {"steps"}),
        ({"architecture": "vgg"}, {"width", "depth", "stages", "trunk"}),
        ({"depth": 3}, {"trunk"}),
        ({"scheme": "none"}, {"trunk"}),
        ({"minutes": 5.0}, {"steps", "superpose", "distill"}),
        ({"baseline": False}, {"superpose", "distill"}),
        ({"width": 32}, set()),
        ({"architecture": "resnet", "depth": 8}, set()),
    ],
)
def test_what_only_fits_together_goes_together(given: dict[str, Any], absent: set[str]) -> None:
    found = with_recipe("standard", given)
    assert set(RECIPES["standard"].settings) - set(found) == absent
    check(Settings(**found))


def test_switches_of_a_recipe_can_be_turned_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Settings] = []

    def stop(settings: Settings, own: object = None) -> None:
        seen.append(settings)
        raise TrainingError("Seen.")

    monkeypatch.setattr("rbnn.runs.start.check", stop)
    off = ("--no-superpose", "--no-baseline", "--trunk", "0")
    typed("train", "--tasks", "digits", "--recipe", "quick", *off)
    (found,) = seen
    assert (found.superpose, found.baseline, found.trunk, found.steps) == (False, False, 0, 800)


def test_unknown_recipes_and_those_of_a_resumed_run_are_refused() -> None:
    unknown = typed("train", "--tasks", "digits", "--recipe", "great").exception
    assert str(unknown).startswith("Unknown recipe 'great'. Recipes: quick, standard, best")
    resumed = typed("train", "--resume", "nowhere", "--recipe", "quick").exception
    assert "--recipe cannot change" in str(resumed)


def test_a_run_without_a_recipe_is_written_as_before(tmp_path: Path, data: list[TaskData]) -> None:
    run = start_run(tmp_path, data, Settings(width=8, depth=3))
    assert "recipe" not in run.config_file.read_text()
