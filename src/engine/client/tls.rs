//! TLS to the daemon, as the docker CLI does it: its certificate must be of the given authority and of no other, and
//! ours is shown to it.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::engine::endpoint::TlsFiles;

/// Makes connections with TLS.
pub(in crate::engine) type HttpsConnector = hyper_rustls::HttpsConnector<HttpConnector>;

/// A connector with the files' authority, certificate and key, or a sentence about the file that is no good.
pub(in crate::engine) fn connector(
    tcp: HttpConnector,
    files: &TlsFiles,
) -> Result<HttpsConnector, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&files.ca)? {
        roots
            .add(certificate)
            .map_err(|error| bad(&files.ca, error))?;
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| bad(&files.key, error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_client_auth_cert(certificates(&files.cert)?, key)
        .map_err(|error| bad(&files.cert, error))?;
    Ok(HttpsConnector::from((tcp, config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad(path, error))
        .and_then(|found| {
            if found.is_empty() {
                Err(bad(path, "there is no certificate in it"))
            } else {
                Ok(found)
            }
        })
}

fn bad(path: &Path, why: impl Display) -> String {
    format!("{} cannot be used: {why}", path.display())
}
