"""One revision per version of the registry's tables."""
