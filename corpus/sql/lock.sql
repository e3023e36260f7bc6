-- No other file, no network, no way back.
SET enable_external_access = false;
SET lock_configuration = true;
