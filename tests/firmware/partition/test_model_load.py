"""`model load` over the serial line: whose model a device takes, and what it has if it refuses."""

from __future__ import annotations

from pathlib import Path

from host_firmware import error_name
from partition_board import (
    OTHER,
    PROVIDER,
    SECTOR,
    USER,
    Board,
    Made,
    begin,
    digest_of,
    has,
    load,
    send,
)

from rbnn.keys import licence, provisioning
from rbnn.keys.models.signed import sign, verifying_key
from rbnn.spec.partition import SIGNED_MODEL_HEADER


def test_a_device_says_what_it_takes(made: Made, roomy: Board) -> None:
    with roomy.on() as firmware:
        where, key, most, version = firmware.ask("model show")
    assert where.endswith(f",{roomy.model.stat().st_size},{SECTOR},writable]")
    assert key == f"m-model-key-[{verifying_key(PROVIDER).hex()}]"
    assert most.endswith(f",{len(made.old.export.container.tasks)}]")
    assert version == "m-model-version-[10]"


def test_a_new_model_runs_from_the_next_start_and_the_old_one_until_then(
    made: Made, roomy: Board
) -> None:
    old, new = made.old.export.container, made.new.export.container
    with roomy.on() as firmware:
        (said,) = begin(firmware, sign(new, PROVIDER, 11).header)
        assert said.endswith(",keeps]")
        send(firmware, new.data)
        assert firmware.ask("model end") == ["m-model-loaded-[11]"]
        assert digest_of(firmware) == old.digest.hex()
    assert has(roomy, new)
    # And back up, then down again: there is always room for the next one.
    for version, container in ((12, old), (13, new), (14, old)):
        with roomy.on() as firmware:
            assert load(firmware, sign(container, PROVIDER, version)) == [
                f"m-model-loaded-[{version}]"
            ]
        assert has(roomy, container)


def test_two_loads_without_a_start_between_leave_the_second(made: Made, roomy: Board) -> None:
    new, old = made.new.export.container, made.old.export.container
    with roomy.on() as firmware:
        load(firmware, sign(new, PROVIDER, 11))
        load(firmware, sign(old, PROVIDER, 12))
        assert error_name(firmware.ask("tasks")) == "no-container", "its bytes are gone"
    assert has(roomy, old)


def test_every_changed_byte_of_the_header_is_refused(made: Made, roomy: Board) -> None:
    header = sign(made.new.export.container, PROVIDER, 11).header
    named = set()
    with roomy.on() as firmware:
        before = roomy.model.read_bytes()
        for place in range(len(header)):
            changed = header[:place] + bytes([header[place] ^ 1 << place % 8]) + header[place + 1 :]
            named.add(error_name(begin(firmware, changed)))
        assert named == {"no-container", "container-format", "model-signature"}
        assert error_name(begin(firmware, header[:-1])) == "buffer-incomplete"
        assert roomy.model.read_bytes() == before
        assert load(firmware, sign(made.new.export.container, PROVIDER, 11)) == [
            "m-model-loaded-[11]"
        ]


def test_another_provider_s_model_is_refused(made: Made, roomy: Board, tmp_path: Path) -> None:
    foreign = sign(made.foreign.export.container, OTHER, 11)
    with roomy.on() as firmware:
        assert error_name(begin(firmware, foreign.header)) == "model-signature"
    assert has(roomy, made.old.export.container)
    # A debug probe can write it; the firmware does not run it.
    (tmp_path / "other").mkdir()
    written = Board(made, tmp_path / "other", made.sectors(made.foreign), foreign)
    with written.on() as firmware:
        assert error_name(firmware.ask("tasks")) == "model-signature"


def test_an_older_model_is_refused(made: Made, roomy: Board) -> None:
    new = made.new.export.container
    for version in (1, 9, 10):
        with roomy.on() as firmware:
            said = begin(firmware, sign(new, PROVIDER, version).header, "replace")
            assert error_name(said) == "model-old"
    assert has(roomy, made.old.export.container)


def test_a_model_that_needs_more_than_the_firmware_has_is_refused(
    made: Made, tmp_path: Path
) -> None:
    wide = sign(made.wide.export.container, PROVIDER, 11)
    old = sign(made.old.export.container, PROVIDER, 10)
    board = Board(made, tmp_path, made.sectors(made.old, made.wide), old)
    with board.on() as firmware:
        assert error_name(begin(firmware, wide.header)) == "model-memory"
    assert has(board, made.old.export.container)
    board.model.write_bytes(wide.data.ljust(len(wide.data) // SECTOR * SECTOR + SECTOR, b"\xff"))
    with board.on() as firmware:
        assert error_name(firmware.ask("tasks")) == "model-memory"


def test_bytes_out_of_order_missing_or_damaged_leave_the_old_model(
    made: Made, roomy: Board
) -> None:
    signed = sign(made.new.export.container, PROVIDER, 11)
    data = signed.container.data
    with roomy.on() as firmware:
        assert error_name(firmware.ask("model end")) == "model-order"
        firmware.load(data[:64])
        assert error_name(firmware.ask("model 0")) == "model-order"
        begin(firmware, signed.header)
        assert error_name(firmware.ask("model end")) == "model-order"
        firmware.load(data[:64])
        assert error_name(firmware.ask("model 32")) == "model-order"
        firmware.load(data[:33])
        assert error_name(firmware.ask("model 0")) == "model-order"
        assert error_name(firmware.ask("model 0")) == "model-order", "nothing is in the buffer"
        for words in ("model", "model x", "model 0 0", "model load x", "model show x"):
            assert error_name(firmware.ask(words)) == "argument"
        send(firmware, data)
        firmware.load(data[:32])
        assert error_name(firmware.ask(f"model {len(data)}")) == "model-order", "too many"
        firmware.ask("model stop")
        assert error_name(firmware.ask("model end")) == "model-order"
        for place in (200, len(data) - 1):
            begin(firmware, signed.header)
            send(firmware, data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            assert error_name(firmware.ask("model end")) == "container-damaged"
    assert has(roomy, made.old.export.container)


def test_power_that_fails_after_any_part_leaves_the_old_model(made: Made, roomy: Board) -> None:
    signed = sign(made.new.export.container, PROVIDER, 11)
    for parts in (0, 1, 2):
        with roomy.on() as firmware:
            begin(firmware, signed.header)
            for start in range(0, parts * 4096, 4096):
                firmware.load(signed.container.data[start : start + 4096])
                firmware.ask(f"model {start}")
        assert has(roomy, made.old.export.container)


def test_without_room_for_both_the_old_model_goes_only_on_request(made: Made, tight: Board) -> None:
    signed = sign(made.new.export.container, PROVIDER, 11)
    with tight.on() as firmware:
        assert error_name(begin(firmware, signed.header)) == "model-room"
        assert digest_of(firmware) == made.old.export.container.digest.hex()
        (said,) = begin(firmware, signed.header, "replace")
        assert said.endswith(",replaces]")
        assert error_name(firmware.ask("tasks")) == "no-container"
    with tight.on() as firmware:  # power failed: no model, and a new load is taken
        assert error_name(firmware.ask("tasks")) == "no-container"
        assert load(firmware, signed) == ["m-model-loaded-[11]"]
    assert has(tight, made.new.export.container)


def test_no_other_model_comes_in_as_part_of_a_container(made: Made, tight: Board) -> None:
    """An older signed model, at a sector's start among the bytes of a newer one, would otherwise be
    the model of the next start once the power is cut."""
    signed = sign(made.new.export.container, PROVIDER, 11)
    hidden = sign(made.old.export.container, PROVIDER, 9).data
    at = SECTOR - SIGNED_MODEL_HEADER.size
    with tight.on() as firmware:
        begin(firmware, signed.header, "replace")
        firmware.load(signed.container.data[:at] + hidden[: 8192 - at])
        assert error_name(firmware.ask("model 0")) == "container-format"
        assert error_name(firmware.ask("model end")) == "model-order"
        begin(firmware, signed.header, "replace")
        firmware.load(signed.container.data[:at])
        firmware.ask("model 0")
        firmware.load(hidden[:64])
        assert error_name(firmware.ask(f"model {at}")) == "container-format"
    with tight.on() as firmware:
        assert error_name(firmware.ask("tasks")) == "no-container"
        begin(firmware, signed.header)  # elsewhere the same bytes are no model
        data = signed.container.data
        send(firmware, data[: at + 32] + hidden[: len(data) - at - 32])
        assert error_name(firmware.ask("model end")) == "container-damaged"
        assert load(firmware, signed) == ["m-model-loaded-[11]"]


def test_an_enrolled_device_does_not_forget_the_version_of_a_model_that_is_gone(
    made: Made, tight: Board
) -> None:
    tight.enroll()
    new, old = made.new.export.container, made.old.export.container
    with tight.on() as firmware:
        begin(firmware, sign(new, PROVIDER, 11).header, "replace")
    with tight.on() as firmware:
        assert error_name(firmware.ask("tasks")) == "no-container"
        assert error_name(begin(firmware, sign(old, PROVIDER, 9).header)) == "model-old"
        assert load(firmware, sign(new, PROVIDER, 20)) == ["m-model-loaded-[20]"]
    with tight.on() as firmware:
        begin(firmware, sign(old, PROVIDER, 30).header, "replace")
        assert error_name(begin(firmware, sign(old, PROVIDER, 19).header)) == "model-old"
        assert load(firmware, sign(old, PROVIDER, 20)) == ["m-model-loaded-[20]"]


def test_an_older_model_that_a_probe_puts_back_does_not_run(made: Made, roomy: Board) -> None:
    roomy.enroll()
    before = roomy.model.read_bytes()
    new, old = made.new.export.container, made.old.export.container
    with roomy.on() as firmware:
        assert load(firmware, sign(new, PROVIDER, 11)) == ["m-model-loaded-[11]"]
    roomy.model.write_bytes(before)
    with roomy.on() as firmware:
        assert error_name(firmware.ask("tasks")) == "model-old"
        assert error_name(firmware.ask("licences")) == "model-old"
        assert error_name(firmware.ask("unlock colour " + "0" * 64)) == "model-old"
        assert error_name(firmware.ask("switch colour")) == "model-old"
        assert error_name(firmware.ask("infer 1 0")) == "model-old"
        assert "m-model-version-[10]" in firmware.ask("model show")
        assert not [line for line in firmware.ask("id") if line.startswith("m-model-")]
        assert load(firmware, sign(new, PROVIDER, 12)) == ["m-model-loaded-[12]"]
    assert has(roomy, new)
    # Signed again it is the newest one, and a device that was not enrolled cannot know.
    signed = sign(old, PROVIDER, 13).data
    roomy.model.write_bytes(signed.ljust(len(before), b"\xff"))
    assert has(roomy, old)


def test_a_device_that_is_not_enrolled_compares_no_versions(made: Made, roomy: Board) -> None:
    before = roomy.model.read_bytes()
    with roomy.on() as firmware:
        load(firmware, sign(made.new.export.container, PROVIDER, 11))
    roomy.model.write_bytes(before)
    assert has(roomy, made.old.export.container)


def test_after_a_warm_reset_no_model_is_taken(made: Made, roomy: Board) -> None:
    """The store, which knows what the device had, opens after power-on only."""
    roomy.enroll()
    with roomy.on() as firmware:
        firmware.send(b"reset%")
        firmware.answer()
        said = begin(firmware, sign(made.new.export.container, PROVIDER, 11).header)
        assert error_name(said) == "power-cycle"


def test_licences_of_the_old_model_are_named_as_such(made: Made, roomy: Board) -> None:
    record, public = roomy.enroll()
    container = made.old.export.container
    held = licence.issue(
        *(PROVIDER, public, USER, container.model_id, container.digest, 0),
        made.old.secrets["colour"],
        sequence=3,
    )
    roomy.provisioning = provisioning.build(record, [held])
    number = held.licence_id.hex()
    unlock = f"unlock colour {USER.psk(held.licence_id).hex()}"
    with roomy.on() as firmware:
        assert firmware.ask("licences") == [f"m-licence-[0,colour,{number},3,flash]"]
        assert firmware.ask(unlock) == ["m-unlocked-[colour]"]
        load(firmware, sign(made.new.export.container, PROVIDER, 11))
    with roomy.on() as firmware:
        assert firmware.ask("licences") == [f"m-licence-[0,-,{number},3,other-model]"]
        assert error_name(firmware.ask(unlock)) == "licence-model"


def test_a_newer_model_of_a_probe_wins_and_a_damaged_one_does_not(made: Made, roomy: Board) -> None:
    new = sign(made.new.export.container, PROVIDER, 11)
    place = roomy.model.stat().st_size - made.sectors(made.new) * SECTOR
    whole = bytearray(roomy.model.read_bytes())
    whole[place : place + len(new.data)] = new.data
    roomy.model.write_bytes(whole)
    assert has(roomy, made.new.export.container)
    whole[place + len(new.data) - 1] ^= 1
    roomy.model.write_bytes(whole)
    assert has(roomy, made.old.export.container)


def test_the_program_does_not_hold_the_model(made: Made) -> None:
    assert made.old.export.container.data[:512] not in made.program.read_bytes()
