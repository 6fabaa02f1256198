"""``rbnn audit``: looks for backdoors in the integers that a device will compute with."""
