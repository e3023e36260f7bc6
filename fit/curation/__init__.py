"""From counts and a limit to the rows to drop: as few as possible, and no others."""
