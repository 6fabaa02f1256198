"""``rbnn bench audit``: clean and poisoned networks, audited: found, missed, falsely said."""
