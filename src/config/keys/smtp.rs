//! The settings of `[smtp]`: which mail server, and who is written to when.

use super::{Key, shown_path};
use crate::config::kinds::Given;
use crate::config::values::MailSecurity;
use crate::model::{MailOn, Secret};

pub(super) const SERVER: Key = Key {
    section: "smtp",
    name: "server",
    default: "",
    doc: "The mail server. Empty: no mail is sent. See docs/mail.md.",
    later: None,
    set: |config, given| {
        config.smtp.server = given.optional(Given::host_only)?;
        Ok(given.text.to_owned())
    },
};

pub(super) const PORT: Key = Key {
    section: "smtp",
    name: "port",
    default: "587",
    doc: "Its port: usually 587 for `starttls`, 465 for `tls`, 25 for `none`.",
    later: None,
    set: |config, given| {
        let port = given.number(1, 65_535)?;
        config.smtp.port = u16::try_from(port).unwrap_or(u16::MAX);
        Ok(given.text.to_owned())
    },
};

pub(super) const SECURITY: Key = Key {
    section: "smtp",
    name: "security",
    default: "starttls",
    doc: "How the connection to it is protected: `starttls`, `tls` or `none`.",
    later: None,
    set: |config, given| {
        config.smtp.security = given.one_of(&[
            ("starttls", MailSecurity::Starttls),
            ("tls", MailSecurity::Tls),
            ("none", MailSecurity::None),
        ])?;
        Ok(given.text.to_owned())
    },
};

pub(super) const CA_FILE: Key = Key {
    section: "smtp",
    name: "ca_file",
    default: "",
    doc: "A PEM file with the certificate of an authority to trust in addition to the system's, for a server that has its \
          certificate from the site itself.",
    later: None,
    set: |config, given| {
        config.smtp.ca_file = given.optional(Given::path)?;
        let shown = config.smtp.ca_file.as_ref().map(shown_path);
        Ok(shown.unwrap_or_default())
    },
};

pub(super) const USER: Key = Key {
    section: "smtp",
    name: "user",
    default: "",
    doc: "The name to log in with, where there is a password. Empty: no login.",
    later: None,
    set: |config, given| {
        config.smtp.user = given.optional(|g| Ok(g.text.to_owned()))?;
        Ok(given.text.to_owned())
    },
};

pub(super) const PASSWORD: Key = Key {
    section: "smtp",
    name: "password",
    default: "",
    doc: "The password to log in with. Whoever reads the file reads it: `password_file`, or the variable, may suit better.",
    later: None,
    set: |config, given| {
        config.smtp.password = given.optional(|g| Ok(Secret::new(g.text)))?;
        let shown = config.smtp.password.as_ref().map(Secret::to_string);
        Ok(shown.unwrap_or_default())
    },
};

pub(super) const PASSWORD_FILE: Key = Key {
    section: "smtp",
    name: "password_file",
    default: "",
    doc: "A file whose first line is the password; counts where `password` is not set. It is read when mail is sent: only who does that has \
          to be able to read it.",
    later: None,
    set: |config, given| {
        config.smtp.password_file = given.optional(Given::path)?;
        let shown = config.smtp.password_file.as_ref().map(shown_path);
        Ok(shown.unwrap_or_default())
    },
};

pub(super) const SENDER: Key = Key {
    section: "smtp",
    name: "sender",
    default: "",
    doc: "The address that mails come from. Empty: `user`, when that is an address.",
    later: None,
    set: |config, given| {
        config.smtp.sender = given.optional(Given::mail_address)?;
        Ok(given.text.to_owned())
    },
};

pub(super) const MAIL_ON: Key = Key {
    section: "smtp",
    name: "mail_on",
    default: "fail",
    doc: "When the owner of an execution is written to, where neither `--mail-on` nor `zoe user set --mail-on` says: at its \
          `end`, only when it did not end well (`fail`), or `never`. Only users with an address get mail (`zoe user add`).",
    later: None,
    set: |config, given| {
        config.smtp.mail_on = given.one_of(&MailOn::NAMED)?;
        Ok(given.text.to_owned())
    },
};

pub(super) const GIVE_UP: Key = Key {
    section: "smtp",
    name: "give_up",
    default: "72",
    doc: "For how many hours sending a mail is tried, with growing pauses, before it is given up; 0 for ever.",
    later: None,
    set: |config, given| {
        config.smtp.give_up = given.hours()?;
        Ok(given.text.to_owned())
    },
};
