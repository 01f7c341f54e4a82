"""How a step is called from the platforms that bots are built on."""
