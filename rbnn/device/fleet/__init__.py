"""Provisioning many boards, one after the other: ``rbnn provision``."""
