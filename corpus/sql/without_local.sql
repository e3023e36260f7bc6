-- The shard lies elsewhere: no file of this machine is needed.
SET disabled_filesystems = 'LocalFileSystem'
