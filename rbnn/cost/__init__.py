"""What a network costs on a device, predicted from its shapes alone.

Instructions and cycles of our kernels, and the rates of other engines to compare with.
"""
