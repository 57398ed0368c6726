-- What has been: executions, their events, and the lease of each deployment.
-- Times are milliseconds since 1970 (UTC). A deployment is part of every key.
--
-- In these files each statement ends a line with its semicolon and does one thing that can be seen to be done: a change of tables is
-- no transaction here, and what was interrupted is gone on with. What is in braces is filled in: a server's way of comparing texts
-- byte by byte, as SQLite does.

CREATE TABLE executions (
    deployment   VARCHAR(64)  NOT NULL,
    id           VARCHAR(16)  NOT NULL,
    name         LONGTEXT     NOT NULL,
    user_name    VARCHAR(255) NOT NULL,
    application  LONGTEXT     NOT NULL,
    description  LONGTEXT     NOT NULL,
    user_key     LONGTEXT,
    submitted_at BIGINT       NOT NULL,
    started_at   BIGINT,
    exit_code    BIGINT,
    outcome      VARCHAR(32),
    reason       LONGTEXT,
    logs         LONGTEXT,
    ended_at     BIGINT,
    PRIMARY KEY (deployment, id)
) {table};

CREATE INDEX executions_by_time ON executions (deployment, submitted_at, id);

-- `digest` stands for kind and detail, which are too long for a key.
CREATE TABLE events (
    deployment  VARCHAR(64) NOT NULL,
    execution   VARCHAR(16) NOT NULL,
    happened_at BIGINT      NOT NULL,
    digest      VARCHAR(64) NOT NULL,
    kind        LONGTEXT    NOT NULL,
    detail      LONGTEXT    NOT NULL,
    PRIMARY KEY (deployment, execution, happened_at, digest)
) {table};

CREATE TABLE leases (
    deployment VARCHAR(64) NOT NULL PRIMARY KEY,
    holder     LONGTEXT    NOT NULL,
    expires_at BIGINT      NOT NULL
) {table};
