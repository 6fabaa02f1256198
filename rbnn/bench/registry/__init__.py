"""``rbnn bench registry``: how long the registry takes when it is large."""
