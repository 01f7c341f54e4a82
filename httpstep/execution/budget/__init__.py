"""How many calls an account may make, and what is remembered of those that were refused."""
