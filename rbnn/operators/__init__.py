"""What the host must know of each operator beside its descriptor: one module an operator.

Its arithmetic in numpy, the working memory of its C kernel, and how often the kernel goes through
its loops. Container, integer reference and cost model ask :data:`rbnn.operators.workings.WORKINGS`.
"""
