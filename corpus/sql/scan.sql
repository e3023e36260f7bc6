-- All columns of one shard with the row numbers; what is not selected later is not read. Folders called
-- name=value stand for themselves: as columns they would hide the file's own.
SELECT * FROM read_parquet($path, file_row_number = true, hive_partitioning = false)
