"""The device's arithmetic on the workstation, in numpy and in C.

An integer reference, and the firmware's own engine through cffi. They agree bit for bit.
"""
