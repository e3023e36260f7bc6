-- Which texts hold which of the words, as whole runs of ASCII letters and digits.
SELECT DISTINCT found.position, words.word
FROM (SELECT position, unnest(regexp_extract_all(lower(text), '[a-z0-9]+')) AS word FROM texts) AS found
JOIN words ON found.word = words.word
