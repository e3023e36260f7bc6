-- How many different addresses name each concept, over all shards.
SELECT position, count(*) AS distinct_url_count
FROM (SELECT DISTINCT position, unnest(url_hashes) AS url_hash FROM parts)
GROUP BY position
