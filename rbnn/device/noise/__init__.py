"""What is asked again on a line that damages bytes."""
