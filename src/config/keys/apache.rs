//! The settings of `[apache]`: the web server that people reach the applications through.

use super::{Key, shown_path};
use crate::config::kinds::Given;
use crate::config::values::{ProxyMode, Scheme};

pub(super) const WEB_SERVER_NAME: Key = Key {
    section: "apache",
    name: "web_server_name",
    default: "",
    doc: "The name, or `name:port`, under which people reach the web server; `*.zoe.example.org` gives each execution a name of \
          its own. Empty: URLs go straight to the published ports. See docs/proxy.md.",
    later: None,
    set: |config, given| {
        config.apache.web_server_name = given.optional(Given::web_server)?;
        Ok(given.text.to_owned())
    },
};

pub(super) const SCHEME: Key = Key {
    section: "apache",
    name: "web_server_scheme",
    default: "http",
    doc: "What the URLs begin with: `http` or `https`.",
    later: None,
    set: |config, given| {
        config.apache.scheme = given.one_of(&Scheme::NAMED)?;
        Ok(given.text.to_owned())
    },
};

pub(super) const PROXY_MODE: Key = Key {
    section: "apache",
    name: "proxy_mode",
    default: "map",
    doc: "How the web server learns the routes: `map` (a file that it looks into at every request), `fragment` (a piece of its \
          configuration, with a reload for each change).",
    later: None,
    set: |config, given| {
        config.apache.proxy_mode = given.one_of(&ProxyMode::NAMED)?;
        Ok(given.text.to_owned())
    },
};

pub(super) const PROXY_CONFIG_FILE: Key = Key {
    section: "apache",
    name: "proxy_config_file",
    default: "",
    doc: "The file that zoe writes its routes to. Empty: another zoe of this deployment does that, where the web server is.",
    later: None,
    set: |config, given| {
        config.apache.proxy_config_file = given.optional(Given::path)?;
        let file = config.apache.proxy_config_file.as_ref();
        Ok(file.map(shown_path).unwrap_or_default())
    },
};

pub(super) const PROXY_PATH_PREFIX: Key = Key {
    section: "apache",
    name: "proxy_path_prefix",
    default: "/zoe",
    doc: "The path on the web server under which the applications are. No part of it may be `proxy` or `history`, which Spark's \
          pages take for their own.",
    later: None,
    set: |config, given| {
        config.apache.proxy_path_prefix = given.proxy_prefix()?;
        Ok(config.apache.proxy_path_prefix.clone())
    },
};

pub(super) const CONFIGTEST_COMMAND: Key = Key {
    section: "apache",
    name: "configtest_command",
    default: "apachectl -t -c \"Include $ZOE_FRAGMENT\"",
    doc: "Under `proxy_mode = fragment`: the shell command that says whether the web server would take the new routes, which are \
          in the file `$ZOE_FRAGMENT`.",
    later: None,
    set: |config, given| {
        given.text.clone_into(&mut config.apache.configtest_command);
        Ok(given.text.to_owned())
    },
};

pub(super) const RELOAD_COMMAND: Key = Key {
    section: "apache",
    name: "reload_command",
    default: "sudo service apache2 reload",
    doc: "Under `proxy_mode = fragment`: the shell command that makes the web server read its configuration again.",
    later: None,
    set: |config, given| {
        given.text.clone_into(&mut config.apache.reload_command);
        Ok(given.text.to_owned())
    },
};

pub(super) const ACCESS_LOG: Key = Key {
    section: "apache",
    name: "access_log",
    default: "/var/log/apache2/access.log",
    doc: "The web server's access log, read to see which notebooks are in use. `none`: it is not read, and requests say nothing.",
    later: None,
    set: |config, given| {
        if given.text == "none" {
            config.apache.access_log = None;
            return Ok(given.text.to_owned());
        }
        config.apache.access_log = given.optional(Given::path)?;
        let log = config.apache.access_log.as_ref();
        Ok(log.map(shown_path).unwrap_or_default())
    },
};
