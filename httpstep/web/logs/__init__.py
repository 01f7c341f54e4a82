"""The kept calls of a step: the list under the form, each whole as a dialog and as a page, and two compared."""
