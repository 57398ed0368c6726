use std::path::PathBuf;

use super::*;

fn site(name: &str, file: &str, is_map: bool) -> Site {
    Site {
        secure: name.ends_with(":8443"),
        file: Some(PathBuf::from(file)),
        ..Site::example(name, is_map)
    }
}

#[test]
fn all_that_is_to_be_filled_in_is() {
    for name in [
        "zoe.example.org",
        "zoe.example.org:8443",
        "*.zoe.example.org",
    ] {
        for is_map in [true, false] {
            let text = virtual_host(&site(name, "/var/lib/zoe/routes", is_map)).unwrap();
            assert!(!text.contains('@'), "{text}");
            assert!(text.contains("/var/lib/zoe/routes\""), "{text}");
            assert_eq!(text.contains("RewriteMap zoe "), is_map);
            assert_eq!(
                text.contains("ServerAlias *.zoe.example.org\n"),
                name.starts_with('*')
            );
            assert_eq!(text.contains("SSLEngine on"), name.ends_with(":8443"));
            assert_eq!(
                text.contains("<VirtualHost *:8443>"),
                name.ends_with(":8443")
            );
        }
    }
}

#[test]
fn a_path_that_apache_would_read_otherwise_is_refused() {
    for path in [
        "/a b", "/a\"b", "/a\nb", "/${X}", "/%{X}", "/a'b", "/<x>", "relative", "/a\\b", "/ä",
    ] {
        assert!(virtual_host(&site("z", path, true)).is_err(), "{path}");
    }
    let mut without = site("z", "/x", true);
    without.file = None;
    assert!(
        virtual_host(&without)
            .unwrap_err()
            .contains("proxy_config_file")
    );
}
