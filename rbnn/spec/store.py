"""The store: two pages of flash in which a device keeps what must survive the loss of power.

A page is a journal: a header and then records, each in a slot of its own with a tag of its own. The
C counterpart is ``firmware/store``; SPEC.md has the rules.
"""

from __future__ import annotations

from rbnn.spec.structs import Field, Record

STORE_MAGIC = b"RBST"
STORE_VERSION = 1
STORE_HEADER = Record(
    "store_header",
    "First slot of a page of the store; the page counts only with it.",
    (
        Field("magic", "u8", '"RBST"', 4),
        Field("version", "u16", "STORE_VERSION"),
        Field("reserved", "u16", "zero"),
        Field("generation", "u32", "counts the pages that were begun, from 1"),
        Field("base", "u32", "licences up to this sequence are refused for tasks without a record"),
        Field("tag", "u8", "see SPEC.md, Store", 16),
    ),
)

STORE_RECORD = Record(
    "store_record",
    "What a device keeps of a task and its licence; of several for a task, the last one counts.",
    (
        Field("model", "u8", "first bytes of the model id", 5),
        Field("task", "u8", "task number"),
        Field("activations", "u16", "activations that the licence numbered `floor` has had"),
        Field("floor", "u32", "licences with a lower sequence are refused"),
        Field("used", "u32", "inferences that this licence has had or reserved"),
        Field("tag", "u8", "see SPEC.md, Store", 16),
    ),
)
STORE_TAG_BYTES = 16
STORE_SLOT_BYTES = STORE_RECORD.size
STORE_TASKS = 32
"""Tasks, of all models together, whose records a new page takes over."""
STORE_SHARE = 64
"""A device reserves a limit in this many parts, each of 1 to ``STORE_BLOCK`` inferences."""
STORE_BLOCK = 1024
"""The most that a power cut can cost; 2^32 inferences stay within the endurance of the flash."""
