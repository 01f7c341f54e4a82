"""Steps and flows as documents: read with every fault at once, written whole, and shown to each role."""
