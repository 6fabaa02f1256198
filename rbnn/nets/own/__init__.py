"""Networks of the user's own: described in a Python or JSON file, or stored in a run."""
