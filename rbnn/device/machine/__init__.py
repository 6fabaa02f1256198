"""This machine: what is plugged into it, and whether it has all that rbnn needs."""
