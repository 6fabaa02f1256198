"""``rbnn export --library``: a model and all that runs it, as a C11 library for other firmware.

The C and assembly are the firmware's own (``firmware/``), copied with relative includes and, on
request, another prefix; the public header, the build files and the examples are templates.
"""
