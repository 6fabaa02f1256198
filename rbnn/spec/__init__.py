"""What host and firmware must agree on, stated once.

Byte layouts, the KDF and its labels, packing order, key streams, the secure sketch's
parameters, status codes and the serial grammar's limits. ``firmware/spec/rbnn_spec.h`` is
generated from these modules by ``python -m rbnn.spec.header``; SPEC.md explains them in prose.
"""
