"""The joint trainer: tasks in, a run folder out."""
