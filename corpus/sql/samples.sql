-- Of each concept the rows with the smallest keys, over all shards.
SELECT concept, found.*
FROM (SELECT position, concept, unnest(sample) AS found FROM parts)
QUALIFY row_number() OVER (PARTITION BY position ORDER BY found.key, found.file, found.row) <= $sample
ORDER BY position, found.key, found.file, found.row
