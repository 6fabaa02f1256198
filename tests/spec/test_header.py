"""The generated C header and SPEC.md are current and agree with Python."""

from __future__ import annotations

from rbnn.spec import document, header, link, puf
from rbnn.spec.status import Status


def test_header_is_current() -> None:
    assert header.main(["--check"]) == 0, "run: make spec"


def test_tables_of_the_specification_are_current() -> None:
    assert document.main(["--check"]) == 0, "run: make spec"


def test_every_status_has_a_text_of_one_line() -> None:
    for status in Status:
        assert status.text
        assert '"' not in status.text
        assert "]" not in status.text


def test_commands_are_words_that_can_be_typed() -> None:
    words = [command.word for command in link.COMMANDS]
    assert len(set(words)) == len(words)
    assert all(word.isalpha() and word.islower() for word in words)


def test_a_full_db_command_fits_the_line_buffer() -> None:
    assert len("db ") + 2 * link.MAX_LOAD_BYTES_PER_COMMAND <= link.MAX_COMMAND_BYTES


def test_sketch_sizes_are_those_of_the_design() -> None:
    assert (puf.PATTERN_BYTES, puf.HELPER_BYTES) == (3072, 3077)
    assert 8 * puf.CHECK_BYTES == puf.BLOCKS * puf.BCH_CHECKS


def test_generator_polynomial_has_the_eighteen_roots() -> None:
    generator = puf.generator_polynomial()
    assert generator.bit_length() - 1 == puf.BCH_CHECKS
    alpha = 1
    for _ in range(2 * puf.BCH_ERRORS):
        alpha = puf._multiply(alpha, 2)
        value, power = 0, 1
        for bit in range(puf.BCH_CHECKS + 1):
            if generator >> bit & 1:
                value ^= power
            power = puf._multiply(power, alpha)
        assert value == 0
