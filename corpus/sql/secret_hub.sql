-- For this session.
CREATE TEMPORARY SECRET shard (TYPE huggingface, TOKEN $token)
