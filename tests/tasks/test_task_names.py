"""``--tasks`` as the user types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rbnn.tasks import KNOWN, TaskError, parse_spec, parse_specs
from rbnn.tasks.names import MAX_NAME_BYTES


def test_names_and_paths() -> None:
    specs = parse_specs("cifar, kws,mine=path/to/folder")
    assert [spec.name for spec in specs] == ["cifar", "kws", "mine"]
    assert [spec.path for spec in specs] == [None, None, Path("path/to/folder")]
    assert [str(spec) for spec in specs] == ["cifar", "kws", "mine=path/to/folder"]


def test_aliases_are_the_same_task() -> None:
    assert parse_spec("cifar10") == parse_spec("cifar")
    with pytest.raises(TaskError, match="twice"):
        parse_specs("cifar,cifar10")


def test_a_known_name_takes_a_path() -> None:
    assert parse_spec("kws=my/words").path == Path("my/words")


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("", "No task", "digits, words"),
        ("  ", "No task", "digits"),
        ("digits,,words", "without a name", "digits"),
        ("digits,", "without a name", "digits"),
        ("=folder", "without a name", "digits"),
        ("nonesuch", "Unknown task 'nonesuch'", "NAME=FOLDER"),
        ("digit", "Unknown task 'digit'", "Did you mean digits"),
        ("words,words", "named twice", "once"),
        ("mine=a,mine=b", "named twice", "once"),
        ("mine=", "no path", "mine=path"),
        ("mine=caf\udce9", "not text: 'caf\\udce9'", "UTF-8"),
        ("mine=a\x1bb", "not text", "control characters"),
        ("abcdefghijklmnop=x", "16 bytes", "15"),
        ("ééééééééé=x", "18 bytes", "15"),
        ("a b=x", "characters", "letters"),
        ("../up=x", "characters", "letters"),
        ("-x=x", "characters", "letters"),
    ],
)
def test_refusals_name_the_fault_and_the_fix(text: str, what: str, fix: str) -> None:
    with pytest.raises(TaskError) as caught:
        parse_specs(text)
    assert what in caught.value.what
    assert fix in caught.value.fix


def test_too_many_tasks() -> None:
    with pytest.raises(TaskError, match="17 tasks"):
        parse_specs(",".join(f"t{number}=x" for number in range(17)))


def test_known_names_are_names() -> None:
    for name in KNOWN:
        assert parse_spec(f"{name}=x").name == name


@given(st.text(max_size=40))
def test_any_text_gives_usable_names_or_a_task_error(text: str) -> None:
    try:
        specs = parse_specs(text)
    except TaskError as error:
        assert error.what and error.fix
        return
    names = [spec.name for spec in specs]
    assert names and len(set(names)) == len(names)
    for spec in specs:
        assert 1 <= len(spec.name.encode()) <= MAX_NAME_BYTES
        assert spec.name.isascii()
        assert parse_spec(str(spec)) == spec


@given(
    st.lists(
        st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,14}", fullmatch=True),
        min_size=1,
        max_size=16,
        unique=True,
    )
)
def test_valid_lists_are_read_back(names: list[str]) -> None:
    specs = parse_specs(",".join(f"{name}=some/{name}" for name in names))
    assert [(spec.name, spec.path) for spec in specs] == [(n, Path(f"some/{n}")) for n in names]
