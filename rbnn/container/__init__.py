"""The model container: shapes, places, parameters, bytes and sizes, for exporter and builder.

Nothing here knows how a network was trained: it takes a topology and integers.
"""
