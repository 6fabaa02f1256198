"""``rbnn report``: a run as one HTML page and as a model card."""
