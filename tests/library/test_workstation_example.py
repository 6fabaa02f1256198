"""The workstation's example, from the export to a result, with the commands that README.md and the
example print: it enrols, is registered and licensed, and recognises."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from builds import configure, have, run
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.engine.reference import Reference
from rbnn.errors import RbnnError
from rbnn.keys.provider_key import new_provider_key
from rbnn.keys.user_key import create_user_key
from rbnn.spec.puf import PATTERN_BYTES


def rbnn(*words: str | Path) -> Any:
    return CliRunner().invoke(build(), [str(word) for word in words])


@pytest.mark.skipif(not have("cmake", "ninja"), reason="apt-get install cmake ninja-build")
def test_from_the_export_to_a_result(
    random_export: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    key = Path("keys/provider.pem")
    provider = new_provider_key(key, None, lambda _: None)
    create_user_key(Path("keys/user.key"))
    made = random_export(tmp_path / "run", side=16, provider_public=provider.public)
    monkeypatch.setattr(
        "rbnn.export.export.load",
        lambda source, **_: SimpleNamespace(test=SimpleNamespace(images=made.images[source])),
    )
    done = rbnn("export", "run", "--no-verify", "--library", "library")
    assert done.exit_code == 0, done.output

    configure(tmp_path / "library", tmp_path / "build")
    run(["cmake", "--build", "build", "--parallel"])
    program = tmp_path / "build" / "rbnn_workstation"
    device = tmp_path / "device"
    device.mkdir()
    (device / "fingerprint").write_bytes(np.random.default_rng(8).bytes(PATTERN_BYTES))
    printed = run([program, "device", "enroll"])
    assert printed.startswith("rbnn devices add device/partition --public ")
    added = rbnn(*shlex.split(printed)[1:], "--name", "porch")
    assert added.exit_code == 0, added.output
    assert "porch" in rbnn("devices", "--json").stdout
    public = shlex.split(printed)[5]
    issued = rbnn("license", "issue", "run", "--user-key", "keys/user.key", "--tasks", "grey",
                  "--device", public[:16])  # fmt: skip
    assert issued.exit_code == 0, issued.output
    assert "rbnn_add_licence" in issued.output
    (licence,) = Path("licences").iterdir()

    image = made.images["grey"][0]
    (tmp_path / "image.raw").write_bytes(image.tobytes())
    printed = run([program, "device", "grey", licence, "keys/user.key", "image.raw"])
    reference = Reference.open(made.export.container, 1, made.secrets["grey"])
    logits = reference.infer(image[None]).logits
    wanted = zip(logits[0].tolist(), reference.scores(logits)[0], range(4), strict=True)
    assert [line.split() for line in printed.splitlines()] == [
        [str(logit), str(score), "ppm", f"grey-{number}"] for logit, score, number in wanted
    ]
    for wrong in (image.tobytes()[:-1], image.tobytes() + b"x", b""):
        (tmp_path / "wrong.raw").write_bytes(wrong)
        words = [program, "device", "grey", licence, "keys/user.key", "wrong.raw"]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 1 and "another size" in done.stderr
    (tmp_path / "no.key").write_text("rbnn-user-key-1:12")
    words = [program, "device", "grey", licence, "no.key", "image.raw"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1 and "no user's key" in done.stderr


@pytest.mark.parametrize(
    ("file", "public", "sign", "said"),
    [
        ("missing", "ab" * 32, "ab" * 32, "Cannot read missing"),
        ("text", "ab" * 32, "ab" * 32, "provisioning partition"),
        ("partition", "ab" * 31, "ab" * 32, "--public"),
        ("partition", "ab" * 32, "00" * 32, "--sign-public"),
        ("partition", "ab" * 32, "key", "--sign-public"),
    ],
)
def test_what_is_no_device_is_not_registered(
    file: str, public: str, sign: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from licensed_world import make_device

    from rbnn.keys import provisioning

    monkeypatch.chdir(tmp_path)
    Path("text").write_text("mine" * 1000)
    Path("partition").write_bytes(provisioning.build(make_device(1).helper_record, ()))
    done = rbnn("devices", "add", file, "--public", public, "--sign-public", sign)
    assert isinstance(done.exception, RbnnError)
    assert said in done.exception.what and done.exception.fix
