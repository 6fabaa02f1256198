"""A task's training step as fused operations in C, beside the Keras models that define it."""
