"""A step as a value: the one table of its members, and what one run of it comes to."""
