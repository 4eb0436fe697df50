"""What the caller's words amount to before anybody answers them: a turn, half a turn, or no turn at all."""
