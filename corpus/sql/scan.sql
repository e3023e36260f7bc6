-- All columns of one shard with the row numbers; what is not selected later is not read.
SELECT * FROM read_parquet($path, file_row_number = true)
