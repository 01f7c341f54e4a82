"""The views of steps: the list, the editor and its moves, Test, logs. Thin: the values they print are made in `editor`."""
