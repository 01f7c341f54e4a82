"""The step editor as a value: what its pages and fragments print, gathered from the form, the step and its logs. No route here."""
