"""A task's training step as two fused operations in C, beside the Keras models that say the same."""
