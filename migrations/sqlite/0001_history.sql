-- What has been: executions, their events, and the lease of each deployment.
-- Times are milliseconds since 1970 (UTC). A deployment is part of every key.

CREATE TABLE executions (
    deployment   TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    user_name    TEXT   NOT NULL,
    application  TEXT   NOT NULL,
    description  TEXT   NOT NULL,
    user_key     TEXT,
    submitted_at BIGINT NOT NULL,
    started_at   BIGINT,
    exit_code    BIGINT,
    outcome      TEXT,
    reason       TEXT,
    logs         TEXT,
    ended_at     BIGINT,
    PRIMARY KEY (deployment, id)
);

CREATE INDEX executions_by_time ON executions (deployment, submitted_at, id);

-- `digest` stands for kind and detail, which are too long for a key.
CREATE TABLE events (
    deployment  TEXT   NOT NULL,
    execution   TEXT   NOT NULL,
    happened_at BIGINT NOT NULL,
    digest      TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    detail      TEXT   NOT NULL,
    PRIMARY KEY (deployment, execution, happened_at, digest)
);

CREATE TABLE leases (
    deployment TEXT   NOT NULL PRIMARY KEY,
    holder     TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
