"""Models on boards: preparing them, what a board holds, loading one over the serial line."""
