-- The syntax tree of a statement, as JSON.
SELECT json_serialize_sql($statement)
