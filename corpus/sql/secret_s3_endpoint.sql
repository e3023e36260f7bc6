-- For this session and this bucket, on a server of one's own.
CREATE TEMPORARY SECRET shard (
    TYPE s3, SCOPE $scope, REGION $region,
    KEY_ID $key, SECRET $secret, SESSION_TOKEN $token,
    ENDPOINT $endpoint, USE_SSL $ssl, URL_STYLE 'path'
)
