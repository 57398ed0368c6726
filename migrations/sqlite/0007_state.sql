-- How executions ended, together with the order in which they are shown: few of a million may have ended so.

CREATE INDEX executions_by_state ON executions (deployment, outcome, submitted_at, id);
