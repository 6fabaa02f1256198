"""The Keras side of each operator: one module an operator, see ``rbnn.nets.keras_operator``."""
