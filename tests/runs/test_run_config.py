"""``config.json``: what earlier versions wrote is read, and written again byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from rbnn.runs.config import KEYS, RunConfig

TEXT = """{
  "version": 3,
  "tasks": [
    {
      "name": "digits",
      "labels": [
        "0",
        "1"
      ],
      "input_channels": 1,
      "adapter": 0,
      "offsets": [
        79
      ],
      "source": "digits",
      "fingerprint": "4cbe",
      "batch": 96,
      "teacher": "baseline/digits"
    }
  ],
  "architecture": "resnet",
  "width": 32,
  "depth": 3,
  "stages": 3,
  "input_shape": [
    32,
    32,
    1
  ],
  "scheme": "xor",
  "cipher": "chacha12",
  "model_id": "f0cee3110648624f863a042b032a487b",
  "seed": 1,
  "epochs": null,
  "learning_rate": 0.01,
  "batch": 64,
  "sampling": 0.5,
  "shares": {
    "digits": 1.5
  },
  "weights": {
    "digits": 2.0
  },
  "precision": "bfloat16",
  "trunk": 2,
  "superpose": true,
  "distill": {
    "weight": 0.5,
    "temperature": 4.0
  },
  "steps_per_epoch": 38,
  "steps": 30,
  "minutes": null,
  "baseline": true
}"""


@pytest.mark.parametrize("distill", [{"weight": 0.5, "temperature": 4.0}, None])
def test_a_config_is_written_as_it_was_read(distill: dict[str, float] | None) -> None:
    text = json.dumps(json.loads(TEXT) | {"distill": distill}, indent=2)
    config = RunConfig.model_validate_json(text)
    assert config.model_dump_json(indent=2) == text
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


def test_every_key_has_its_place() -> None:
    assert tuple(json.loads(TEXT)) == KEYS


def test_parts_can_be_left_out() -> None:
    config = RunConfig.model_validate_json(TEXT)
    assert "tasks" not in config.model_dump(mode="json", exclude={"tasks"})
    assert "distill" not in config.model_dump(exclude={"distill"})


def test_distillation_is_two_settings() -> None:
    config = RunConfig.model_validate_json(TEXT)
    assert (config.distill, config.temperature) == (0.5, 4.0)
    assert config.distillation is not None
    assert (config.distillation.weight, config.distillation.temperature) == (0.5, 4.0)


def test_a_single_task_network_shares_nothing_and_has_no_key() -> None:
    found = RunConfig.model_validate_json(TEXT).single_task("digits", 7)
    expected: dict[str, Any] = {
        **json.loads(TEXT),
        **{"batch": 96, "sampling": 0.0, "shares": {}, "weights": {}, "scheme": "none"},
        **{"trunk": 0, "superpose": False, "distill": None, "baseline": False},
        **{"epochs": None, "steps": 7, "minutes": None},
    }
    expected["tasks"][0]["teacher"] = None
    assert json.loads(found.model_dump_json()) == expected


@pytest.mark.parametrize(
    "missing", ["tasks", "architecture", "width", "scheme", "seed", "epochs", "learning_rate"]
)
def test_what_a_run_cannot_be_without_is_required(missing: str) -> None:
    document = json.loads(TEXT)
    del document[missing]
    with pytest.raises(ValidationError, match=missing):
        RunConfig.model_validate(document)


@pytest.mark.parametrize("distill", [{"weight": 0.5}, {"weight": 1, "temperature": 1, "more": 1}])
def test_damaged_distillation_is_refused(distill: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        RunConfig.model_validate(json.loads(TEXT) | {"distill": distill})
