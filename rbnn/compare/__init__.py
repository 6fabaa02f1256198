"""``rbnn bench accuracy``: one parameter set for all tasks against a separate network for each."""
