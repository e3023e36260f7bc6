"""The only place where files meet science: each stage reads, makes one pure call, and writes."""
