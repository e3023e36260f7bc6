"""Three tiny stages with the shape of real ones: settings, outside inputs, parts, tables, skipped items."""
