//! Routes to the nodes of several machines, through a real Apache on this one.

use serde_json::Value;

use super::apache::Apache;

/// Two members with a page each; the other one only keeps them company.
const PAGES: &str = r#"
schema = 1
name = "pages"
description = "a page of each member"
monitor = "page"

[[component]]
name = "page"
image = "IMAGE"
core = 2
cores = 0.1
memory = "16m"
command = ["sh", "-c", "mkdir -p /www; echo page ${self.index} >/www/index.html; exec httpd -f -p 8000 -h /www"]

[[component.port]]
name = "web"
container = 8000
proxy = true

[component.ready]
port = "web"
"#;

/// The settings of a zoe before which this Apache is.
pub fn settings(apache: &Apache) -> [(&'static str, String); 2] {
    let routes = apache.routes().into_os_string().into_string().unwrap();
    [
        ("ZOE_APACHE_WEB_SERVER_NAME", apache.name()),
        ("ZOE_APACHE_PROXY_CONFIG_FILE", routes),
    ]
}

/// The application, of this image.
pub fn application(image: &str) -> String {
    PAGES.replace("IMAGE", image)
}

/// Runs the application of that file and sees its pages through Apache, until it is ended. `zoe` runs the binary with the settings,
/// must succeed, and gives what it printed. Gives the addresses that the routes led to.
pub fn life(apache: &mut Apache, file: &str, zoe: impl Fn(&[&str]) -> String) -> Vec<String> {
    zoe(&["proxy", "sync"]);
    apache.start(&zoe(&["proxy", "setup"]));
    let id = zoe(&["run", "-d", file]);
    let id = id.trim();
    zoe(&["wait", "--for", "running", id]);
    let paths = [0, 1].map(|index| {
        let url = zoe(&["open", id, &format!("page-{index}/web")]);
        let path = url
            .trim()
            .strip_prefix(&format!("http://{}", apache.name()));
        path.unwrap_or_else(|| panic!("{url} is not Apache's"))
            .to_owned()
    });
    for (index, path) in paths.iter().enumerate() {
        let page = apache.get(path);
        assert_eq!(page.body, format!("page {index}\n"), "{page:?}");
    }
    let checked: Value = serde_json::from_str(&zoe(&["proxy", "check", "-o", "json"])).unwrap();
    assert_eq!(checked["problem"], Value::Null, "{checked}");
    let routes = checked["routes"].as_array().unwrap();
    assert_eq!(routes.len(), 2, "{checked}");
    for route in routes {
        assert_eq!(route["problem"], Value::Null, "{checked}");
        assert_eq!(
            (&route["status"], &route["direct_status"]),
            (&200.into(), &200.into())
        );
    }
    let upstreams = routes.iter().map(|route| {
        let upstream = route["upstream"].as_str().unwrap();
        upstream.rsplit_once(':').unwrap().0.to_owned()
    });
    let upstreams = upstreams.collect();
    zoe(&["kill", id]);
    for path in &paths {
        assert_eq!(apache.get(path).status, 404);
    }
    upstreams
}
