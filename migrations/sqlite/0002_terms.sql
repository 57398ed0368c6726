-- What executions were given and how they were submitted, and users with their quotas.
-- Cores are in thousandths, memory is in bytes. In a quota NULL stands for what everybody has, -1 for no limit.

ALTER TABLE executions ADD COLUMN cores BIGINT;
ALTER TABLE executions ADD COLUMN memory BIGINT;
ALTER TABLE executions ADD COLUMN terms TEXT;

CREATE INDEX executions_by_end ON executions (deployment, ended_at, user_name, started_at, cores);

CREATE TABLE users (
    deployment TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    mail       TEXT,
    role       TEXT   NOT NULL,
    executions BIGINT,
    cores      BIGINT,
    memory     BIGINT,
    hours      BIGINT,
    PRIMARY KEY (deployment, name)
);
