-- What history is searched by, each together with the order in which it is shown, and with what is added up, so that a sum needs no row.

CREATE INDEX executions_by_user ON executions
    (deployment, user_name, submitted_at, id, ended_at, started_at, outcome, cores, memory);
CREATE INDEX executions_by_application ON executions
    (deployment, application, submitted_at, id, ended_at, started_at, outcome, cores, memory);
CREATE INDEX executions_by_name ON executions (deployment, name, submitted_at, id);
