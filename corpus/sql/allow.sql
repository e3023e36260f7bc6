-- The session may read the shard that it counts, and nothing else.
SET allowed_paths = $paths
