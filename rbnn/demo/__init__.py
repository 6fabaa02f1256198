"""The demonstrations: two small tasks trained from nothing, and a packed model of seven."""
