"""The demonstrations: two small tasks trained from scratch, and a packed model of seven."""
