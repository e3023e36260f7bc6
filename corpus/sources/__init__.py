"""Where shards may lie: this machine, S3, the hub, other fsspec file systems, streamed data sets."""
