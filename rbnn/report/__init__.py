"""What a person reads at the end: the demonstration and the tables of SPEC.md."""
