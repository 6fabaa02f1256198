"""The checks of an audit, one a module; each docstring names source, threat, cost, blind spots."""
