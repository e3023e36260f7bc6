-- The statement of a syntax tree, as text.
SELECT json_deserialize_sql($tree)
