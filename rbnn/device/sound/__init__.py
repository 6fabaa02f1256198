"""A board that listens: recordings to it, detections back."""
