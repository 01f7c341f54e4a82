"""Values into texts: placeholders, and an encoder for each place of a request that a value can go to."""
