"""The conversation itself, pure: events in, effects out, time as an argument. Start at machine.py."""
