"""Write ``firmware/spec/rbnn_spec.h``: ``python -m rbnn.spec.header [--check]``."""

from __future__ import annotations

import sys
from pathlib import Path

import jinja2

from rbnn import __version__
from rbnn.files import write_atomic
from rbnn.places import repository
from rbnn.spec import (
    audio,
    kdf,
    layout,
    link,
    operators,
    own_weights,
    packing,
    partition,
    puf,
    scores,
    statement,
    store,
)
from rbnn.spec.packed_text import FIRST, c_string, pack
from rbnn.spec.status import Status

HEADER = Path("firmware") / "spec" / "rbnn_spec.h"


def render() -> str:
    """The header's text."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("rbnn.spec", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    generator = puf.generator_polynomial()
    # What few devices print is not packed: that would make all others' texts longer.
    lines = [one.line for one in Status if one.value and not one.for_partition]
    common = [one for one in link.COMMANDS if not (one.for_sound or one.for_partition)]
    texts = pack([*lines, *(one.text.lstrip() for one in common)])
    return environment.get_template("rbnn_spec.h.j2").render(
        audio=audio,
        firmware_version=__version__,
        kdf=kdf,
        layout=layout,
        link=link,
        packed=lambda text: c_string(texts.packed.get(text, text.encode())),
        # The space that says that there are arguments stays as it is.
        packed_command=lambda one: c_string(
            one.text[: one.text.startswith(" ")].encode()
            + texts.packed.get(one.text.lstrip(), one.text.lstrip().encode())
        ),
        packed_first=FIRST,
        pairs=texts.pairs,
        packing=packing,
        partition=partition,
        puf=puf,
        scores=scores,
        statement=statement,
        store=store,
        statuses=list(Status),
        operators=operators.in_order(),
        own_weights=own_weights,
        enums=(
            layout.Stage,
            layout.Activation,
            layout.Sign,
            layout.Output,
            layout.Packing,
            layout.Cipher,
            layout.Scheme,
            layout.Adapter,
            layout.FrontEnd,
            layout.LicenceFlag,
            link.Benchmark,
            statement.Signed,
            operators.Reads,
            operators.Writes,
        ),
        # The terms below x^68; x^68 itself is implied.
        generator_words=[(generator >> (32 * i)) & 0xFFFFFFFF for i in range(3)],
    )


def main(arguments: list[str]) -> int:
    """Write the header, or with ``--check`` say whether it is current."""
    path = repository() / HEADER
    text = render()
    if "--check" in arguments:
        if path.is_file() and path.read_text() == text:
            return 0
        print(f"{HEADER} is stale. Run: python -m rbnn.spec.header", file=sys.stderr)
        return 1
    write_atomic(path, text)
    print(f"wrote {HEADER}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
