-- Has DuckDB's extension for S3 and the hub been installed on this machine? (It is never installed by us.)
SELECT installed FROM duckdb_extensions() WHERE extension_name = 'httpfs'
