-- When executions were used last, and what was done about those that are idle; and how far access logs were read.
-- `said` is what each sign said at the last look, in JSON. A warning is that of the idle period that began at `warned_for`; the end
-- was announced for `ends_at`. `ending_at` is since when it is being ended for being idle.
-- `digest` stands for the place of a log, which is too long for a key; `position` is the reader's own.

CREATE TABLE activity (
    deployment   TEXT   NOT NULL,
    execution    TEXT   NOT NULL,
    used_at      BIGINT,
    used_by      TEXT,
    requested_at BIGINT,
    checked_at   BIGINT,
    said         TEXT,
    warned_for   BIGINT,
    warned_at    BIGINT,
    ends_at      BIGINT,
    kept_until   BIGINT,
    kept_by      TEXT,
    ending_at    BIGINT,
    PRIMARY KEY (deployment, execution)
);

CREATE TABLE access_logs (
    deployment TEXT NOT NULL,
    digest     TEXT NOT NULL,
    place      TEXT NOT NULL,
    position   TEXT NOT NULL,
    PRIMARY KEY (deployment, digest)
);
