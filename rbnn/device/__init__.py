"""Boards on a serial line: finding one, talking to it, deploying, measuring; emulated boards."""
