"""Attacks on keys of ``rbnn bench theft``: with an oracle, by search, by gradient."""
