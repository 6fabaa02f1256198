"""``rbnn bench peers``: a shared binary set against the int8 networks that a user would flash."""
