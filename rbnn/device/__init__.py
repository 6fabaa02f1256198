"""Boards at the other end of a serial line: finding one, talking to it, deploying, measuring."""
