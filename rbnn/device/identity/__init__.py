"""Proof of a device's identity after enrolment, and what rests on it."""
