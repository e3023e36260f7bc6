-- For this session and this bucket.
CREATE TEMPORARY SECRET shard (
    TYPE s3, SCOPE $scope, REGION $region,
    KEY_ID $key, SECRET $secret, SESSION_TOKEN $token
)
