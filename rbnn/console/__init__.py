"""``rbnn console``: a page on this machine for people who look at a board."""
