-- What executions were given and how they were submitted, and users with their quotas.
-- Cores are in thousandths, memory is in bytes. In a quota NULL stands for what everybody has, -1 for no limit.

ALTER TABLE executions ADD COLUMN cores BIGINT;

ALTER TABLE executions ADD COLUMN memory BIGINT;

ALTER TABLE executions ADD COLUMN terms LONGTEXT;

CREATE INDEX executions_by_end ON executions (deployment, ended_at, user_name, started_at, cores);

CREATE TABLE users (
    deployment VARCHAR(64)  NOT NULL,
    name       VARCHAR(255) NOT NULL,
    mail       LONGTEXT,
    role       VARCHAR(32)  NOT NULL,
    executions BIGINT,
    cores      BIGINT,
    memory     BIGINT,
    hours      BIGINT,
    PRIMARY KEY (deployment, name)
) {table};
