"""``rbnn bench fingerprint``: what the secure sketch leaves unknown, and how often it fails."""
