-- What an execution has used that was run several times: `core_time` is in thousandths of a core times milliseconds, `memory_time` in
-- MiB times milliseconds, `run_time` in milliseconds. What was made until `counted_until` is in it. All are NULL where it was run
-- once: then it is what it was given times how long it ran.

ALTER TABLE executions ADD COLUMN core_time BIGINT;
ALTER TABLE executions ADD COLUMN memory_time BIGINT;
ALTER TABLE executions ADD COLUMN run_time BIGINT;
ALTER TABLE executions ADD COLUMN counted_until BIGINT;

-- A sum still needs no row.
DROP INDEX executions_by_end;
CREATE INDEX executions_by_end ON executions
    (deployment, ended_at, user_name, started_at, cores, core_time);
DROP INDEX executions_by_user;
CREATE INDEX executions_by_user ON executions
    (deployment, user_name, submitted_at, id, ended_at, started_at, outcome, cores, memory, core_time, memory_time);
DROP INDEX executions_by_application;
CREATE INDEX executions_by_application ON executions
    (deployment, application, submitted_at, id, ended_at, started_at, outcome, cores, memory, core_time, memory_time);
