"""Secrets in texts and values that are kept or shown, however they are encoded there. Imports nothing of the other rooms."""
