-- Mail: what each user wants to be told of, and the mails that are to be sent or were.
-- `id` is made of the execution and what the mail is about, so that there is one of each. Bodies are emptied once it is sent.
-- `state` is waiting, sent, failed or dropped. `next_at` is when a waiting one may be tried next, and otherwise since when it
-- does not wait any more; `since` is from when on it has been tried.

ALTER TABLE users ADD COLUMN mail_on TEXT;

CREATE TABLE outbox (
    deployment    TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    execution     TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    user_name     TEXT   NOT NULL,
    recipient     TEXT   NOT NULL,
    message_id    TEXT   NOT NULL,
    subject       TEXT   NOT NULL,
    body_text     TEXT   NOT NULL,
    body_html     TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    since         BIGINT NOT NULL,
    state         TEXT   NOT NULL,
    tries         BIGINT NOT NULL,
    next_at       BIGINT NOT NULL,
    claimed_by    TEXT   NOT NULL,
    claimed_until BIGINT NOT NULL,
    last_error    TEXT,
    PRIMARY KEY (deployment, id)
);

CREATE INDEX outbox_by_state ON outbox (deployment, state, next_at);
