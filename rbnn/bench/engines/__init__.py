"""``make bench-engines``: other engines on the standard layers, from the user's checkouts."""
