"""A pasted command line to words, as the shell of its author would cut it, and words to curl's options."""
