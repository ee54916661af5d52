"""Loss classes, their fast paths, and data noise, from which the problems are made."""
