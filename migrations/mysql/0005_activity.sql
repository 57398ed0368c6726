-- When executions were used last, and what was done about those that are idle; and how far access logs were read.
-- `said` is what each sign said at the last look, in JSON. A warning is that of the idle period that began at `warned_for`; the end
-- was announced for `ends_at`. `ending_at` is since when it is being ended for being idle.
-- `digest` stands for the place of a log, which is too long for a key; `position` is the reader's own.

CREATE TABLE activity (
    deployment   VARCHAR(64)  NOT NULL,
    execution    VARCHAR(16)  NOT NULL,
    used_at      BIGINT,
    used_by      VARCHAR(32),
    requested_at BIGINT,
    checked_at   BIGINT,
    said         LONGTEXT,
    warned_for   BIGINT,
    warned_at    BIGINT,
    ends_at      BIGINT,
    kept_until   BIGINT,
    kept_by      VARCHAR(255),
    ending_at    BIGINT,
    PRIMARY KEY (deployment, execution)
) {table};

CREATE TABLE access_logs (
    deployment VARCHAR(64) NOT NULL,
    digest     VARCHAR(64) NOT NULL,
    place      LONGTEXT    NOT NULL,
    position   LONGTEXT    NOT NULL,
    PRIMARY KEY (deployment, digest)
) {table};
