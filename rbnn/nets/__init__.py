"""Architectures: their topology in plain data, and their Larq models.

Importing this package does not import TensorFlow; it only says how TensorFlow is to behave once a
module that needs it (``quantizer``, ``layers``, ``build``) does. Larq 0.14 needs the Keras 2 API.
"""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
