//! The virtual host that an administrator installs once. Pure.

use std::path::Path;

use super::site::{Site, Way};
use crate::model::danger::told;

/// The modules that it needs, as `a2enmod` takes them.
pub const MODULES: &str = "rewrite headers proxy proxy_http proxy_wstunnel";

/// The virtual host for this site, with how to install it in its comments; or why there can't be one.
pub fn virtual_host(site: &Site) -> Result<String, String> {
    let file = site.file.as_deref().ok_or(
        "the file for the routes is not configured; set [apache] proxy_config_file, such as /var/lib/zoe/routes",
    )?;
    let file = plain_path(file)?;
    let (template, steps) = match site.way {
        Way::Map => (MAP, STEPS_OF_MAP),
        Way::Fragment { .. } => (FRAGMENT, STEPS_OF_FRAGMENT),
    };
    let name = site.domain().unwrap_or(&site.name);
    let (host, port) = name.split_once(':').map_or_else(
        || (name, if site.secure { "443" } else { "80" }),
        |(host, port)| (host, port),
    );
    let server = match site.domain() {
        Some(_) => format!("ServerName {host}\n    ServerAlias *.{host}"),
        None => format!("ServerName {host}"),
    };
    let tls = if site.secure {
        "\n    # The certificate; `a2enmod ssl`, too.\n    SSLEngine on\n    SSLCertificateFile    /etc/ssl/certs/ssl-cert-snakeoil.pem\n    SSLCertificateKeyFile /etc/ssl/private/ssl-cert-snakeoil.key\n"
    } else {
        ""
    };
    let listen = if matches!(port, "80" | "443") {
        String::new()
    } else {
        format!(
            "# Apache has to listen there; on Debian ports.conf says where it does: Listen {port}\n"
        )
    };
    let domain = host.replace('.', "[.]");
    let values = [
        ("@HEAD@", HEAD),
        ("@STEPS@", steps),
        ("@COMMON@", COMMON),
        (
            "@KEY@",
            if site.domain().is_some() {
                KEY_OF_NAME
            } else {
                KEY
            },
        ),
        ("@MODULES@", MODULES),
        ("@SERVER@", server.as_str()),
        ("@TLS@", tls),
        ("@LISTEN@", listen.as_str()),
        ("@PORT@", port),
        ("@DOMAIN@", domain.as_str()),
        ("@DIRECTORY@", directory(&file)),
        ("@FILE@", file.as_str()),
        ("@PREFIX@", site.prefix.as_str()),
        ("@BELOW@", site.prefix.trim_start_matches('/')),
    ];
    let mut text = template.to_owned();
    for (mark, value) in values {
        text = text.replace(mark, value);
    }
    Ok(text)
}

fn directory(file: &str) -> &str {
    match file.rsplit_once('/') {
        None | Some(("", _)) => "/",
        Some((directory, _)) => directory,
    }
}

/// The longest path that there can be.
const LONGEST: usize = 4096;

/// A path that means itself in Apache's configuration.
fn plain_path(path: &Path) -> Result<String, String> {
    let text = path.to_str().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@,=:".contains(c);
    if text.starts_with('/') && text.len() < LONGEST && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "the path {} is too long, or has characters that Apache's configuration would take for something else; choose one of \
         letters, digits and / . _ -",
        told(&path.display())
    ))
}

const HEAD: &str = "\
# Apache in front of zoe's applications; docs/proxy.md explains it. On Debian, ZOE being who runs zoe here:
#
#     a2enmod @MODULES@
#     install -d -m 2750 -o ZOE -g www-data @DIRECTORY@
@STEPS@
#     zoe proxy check
";

const STEPS_OF_MAP: &str = "\
#     zoe proxy sync                                         # Apache does not start without the file
#     zoe proxy setup >/etc/apache2/sites-available/zoe.conf && a2ensite zoe && service apache2 restart";

const STEPS_OF_FRAGMENT: &str = "\
#     zoe proxy setup >/etc/apache2/sites-available/zoe.conf && a2ensite zoe && service apache2 restart
#     zoe proxy sync                                         # reloads Apache";

/// What both ways have. `${ZOE_DOLLAR}{X}` is a `${X}` that is filled in at every request and not when this is read.
const COMMON: &str = r#"    @SERVER@
@TLS@
    ProxyRequests Off
    ProxyPreserveHost On
    ProxyPassInterpolateEnv On
    ProxyTimeout 300
    AllowEncodedSlashes NoDecode
    RewriteEngine On
    RewriteRule "^@PREFIX@/" - [E=ZOE_HOST:%{HTTP_HOST}]
    <LocationMatch "^@PREFIX@(/|$)">
        Require all granted
        RequestHeader unset X-Forwarded-Context
        Header always set X-Zoe-Proxy 1
        ErrorDocument 404 "<!doctype html><meta charset=utf-8><title>Nothing here</title><h1>Nothing here</h1><p>There is nothing at this address, or it has ended. <code>zoe ps</code> lists what is alive, <code>zoe open</code> tells its address."
        ErrorDocument 502 "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=5><title>No answer</title><h1>No answer</h1><p>The application does not answer. It may be starting, or about to end; this page tries again by itself."
        ErrorDocument 503 "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=5><title>No answer</title><h1>No answer</h1><p>The application does not answer. It may be starting, or about to end; this page tries again by itself."
        ErrorDocument 504 "<!doctype html><meta charset=utf-8><title>No answer</title><h1>No answer</h1><p>The application took too long to answer."
    </LocationMatch>
"#;

const KEY: &str = r#"    # The route is looked up by what the path begins with: the execution's token, the component, the port.
    RewriteRule "^@PREFIX@/([a-z2-7]+/[a-z0-9.-]+/[a-z0-9-]+)(/|$)" - [E=ZOE_KEY:$1,E=ZOE_BASE:@PREFIX@/$1]"#;

const KEY_OF_NAME: &str = r#"    # The route is looked up by the name, which begins with the execution's id, and by what the path begins with: the
    # execution's token, the component, the port.
    RewriteMap zoe-lower int:tolower
    RewriteCond "%{HTTP_HOST}" "^([a-z0-9]+)[.]@DOMAIN@(:[0-9]+)?$" [NC]
    RewriteRule "^@PREFIX@/([a-z2-7]+/[a-z0-9.-]+/[a-z0-9-]+)(/|$)" - [E=ZOE_KEY:${zoe-lower:%1}/$1,E=ZOE_BASE:@PREFIX@/$1]"#;

const MAP: &str = r#"@HEAD@
Define ZOE_DOLLAR "$"
@LISTEN@<VirtualHost *:@PORT@>
@COMMON@
    # The routes. Apache looks whether the file has changed at each request: no reload.
    RewriteMap zoe "txt:@FILE@"
@KEY@
    RewriteCond "%{ENV:ZOE_KEY}" "."
    RewriteCond "${zoe:%{ENV:ZOE_KEY}}" "^(.+)$"
    RewriteRule "^@PREFIX@/" - [E=ZOE_UPSTREAM:%1]
    RewriteCond "%{ENV:ZOE_UPSTREAM}" "^$"
    RewriteRule "^@PREFIX@(/|$)" - [R=404,L]
    RewriteRule "^@PREFIX@/[^/]+/[^/]+/[^/]+$" "%{ENV:ZOE_BASE}/" [R=302,L]
    # What follows is passed on as the browser wrote it, escapes and all.
    RewriteCond "%{HTTP:Upgrade}" "^websocket$" [NC]
    RewriteCond "%{ENV:ZOE_BASE} %{THE_REQUEST}" "^([^ ]+) [A-Z]+ \1(/[^ ?]*)"
    RewriteRule "^@PREFIX@/" "ws://%{ENV:ZOE_UPSTREAM}%2" [P,NE,L]
    RewriteCond "%{ENV:ZOE_BASE} %{THE_REQUEST}" "^([^ ]+) [A-Z]+ \1(/[^ ?]*)"
    RewriteRule "^@PREFIX@/" "http://%{ENV:ZOE_UPSTREAM}%2" [P,NE,L]
    RewriteRule "^@PREFIX@(/|$)" - [R=404,L]

    # Redirects and cookies stay below the path of their application.
    ProxyPassReverse "${ZOE_DOLLAR}{ZOE_BASE}/" "http://${ZOE_DOLLAR}{ZOE_HOST}${ZOE_DOLLAR}{ZOE_BASE}/" interpolate
    ProxyPassReverse "${ZOE_DOLLAR}{ZOE_BASE}/" "https://${ZOE_DOLLAR}{ZOE_HOST}${ZOE_DOLLAR}{ZOE_BASE}/" interpolate
    ProxyPassReverse "${ZOE_DOLLAR}{ZOE_BASE}/" "http://${ZOE_DOLLAR}{ZOE_HOST}/" interpolate
    ProxyPassReverse "${ZOE_DOLLAR}{ZOE_BASE}/" "https://${ZOE_DOLLAR}{ZOE_HOST}/" interpolate
    ProxyPassReverse "${ZOE_DOLLAR}{ZOE_BASE}/" "http://${ZOE_DOLLAR}{ZOE_UPSTREAM}/" interpolate
    ProxyPassReverseCookiePath "${ZOE_DOLLAR}{ZOE_BASE}/" "${ZOE_DOLLAR}{ZOE_BASE}/" interpolate
    ProxyPassReverseCookiePath "/" "${ZOE_DOLLAR}{ZOE_BASE}/" interpolate
    Header edit Location "^/(?!/|@BELOW@/)" "%{ZOE_BASE}e/" env=ZOE_UPSTREAM
</VirtualHost>
"#;

const FRAGMENT: &str = r#"@HEAD@
Define ZOE_DOLLAR "$"
@LISTEN@<VirtualHost *:@PORT@>
@COMMON@
    RewriteRule "^@PREFIX@/[^/]+/[^/]+/[^/]+$" "%{REQUEST_URI}/" [R=302,L]
    # The routes. Apache reads them when it reloads; zoe sees to that.
    IncludeOptional "@FILE@"
</VirtualHost>
"#;

#[cfg(test)]
#[path = "setup_tests.rs"]
mod tests;
