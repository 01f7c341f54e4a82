"""Floor 0, the pure floor.

Nothing here reads a clock, a file, a socket, randomness or a log, and nothing here imports Flask,
SQLAlchemy or requests. It may use the standard library and libraries that only compute. What
decides anything in the product is here, takes values and returns values, and is tested with literals.
"""
