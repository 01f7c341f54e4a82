"""The commands of `flask --app app`: thin, each reads its options and calls one thing."""
