-- Mail: what each user wants to be told of, and the mails that are to be sent or were.
-- `id` is made of the execution and what the mail is about, so that there is one of each. Bodies are emptied once it is sent.
-- `state` is waiting, sent, failed or dropped. `next_at` is when a waiting one may be tried next, and otherwise since when it
-- does not wait any more; `since` is from when on it has been tried.

ALTER TABLE users ADD COLUMN mail_on VARCHAR(32);

CREATE TABLE outbox (
    deployment    VARCHAR(64)  NOT NULL,
    id            VARCHAR(64)  NOT NULL,
    execution     VARCHAR(16)  NOT NULL,
    kind          VARCHAR(32)  NOT NULL,
    user_name     VARCHAR(255) NOT NULL,
    recipient     LONGTEXT     NOT NULL,
    message_id    LONGTEXT     NOT NULL,
    subject       LONGTEXT     NOT NULL,
    body_text     LONGTEXT     NOT NULL,
    body_html     LONGTEXT     NOT NULL,
    created_at    BIGINT       NOT NULL,
    since         BIGINT       NOT NULL,
    state         VARCHAR(32)  NOT NULL,
    tries         BIGINT       NOT NULL,
    next_at       BIGINT       NOT NULL,
    claimed_by    LONGTEXT     NOT NULL,
    claimed_until BIGINT       NOT NULL,
    last_error    LONGTEXT,
    PRIMARY KEY (deployment, id)
) {table};

CREATE INDEX outbox_by_state ON outbox (deployment, state, next_at);
