//! Whom an encrypted connection trusts.

use std::{env, fs, path::PathBuf, sync::Arc};

use rustls::crypto::ring;
use ureq::tls::{self, PemItem, RootCerts, TlsConfig};

use crate::Error;

/// Whom to trust: the certificates that `SSL_CERT_FILE` names, or else whom the platform trusts.
pub fn tls_config() -> Result<TlsConfig, Error> {
    let roots = match env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()) {
        None => RootCerts::PlatformVerifier,
        Some(path) => {
            let path = PathBuf::from(path);
            let unreadable = |reason: String| Error::Certificates { path: path.clone(), reason };
            let pem = fs::read(&path).map_err(|error| unreadable(error.kind().to_string()))?;
            let items = tls::parse_pem(&pem).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            });
            let certificates: Vec<_> =
                items.collect::<Result<_, _>>().map_err(|error| unreadable(error.to_string()))?;
            RootCerts::new_with_certs(&certificates)
        }
    };
    let provider = Arc::new(ring::default_provider());
    Ok(TlsConfig::builder().unversioned_rustls_crypto_provider(provider).root_certs(roots).build())
}
