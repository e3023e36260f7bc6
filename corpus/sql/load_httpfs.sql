-- Of the installed extension only.
LOAD httpfs
