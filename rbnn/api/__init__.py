"""What ``import rbnn`` offers notebooks and scripts: trained models and boards.

Its names are found through :mod:`rbnn`: ``rbnn.Model``, ``rbnn.Board``, ``rbnn.RbnnError``. The
commands do the same with the same functions. docs/python.md is the guide.
"""
