"""Commands that people paste, to a request; and a request as a command to copy."""
