"""What the host must know of each operator besides its descriptor: one module per operator.

Its arithmetic in numpy, the working memory of its C kernel, and how often the kernel runs through
its loops. Container, integer reference and cost model ask :data:`rbnn.operators.workings.WORKINGS`.
"""
