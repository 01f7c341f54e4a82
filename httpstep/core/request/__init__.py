"""From a step and attributes to the exact request, and what is wrong with a request before any value is known."""
