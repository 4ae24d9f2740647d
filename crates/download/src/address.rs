//! Addresses: which are asked, and where their links lead.

use std::net::IpAddr;

use ureq::http::Uri;

use crate::{Error, Options};

/// An address that may be asked.
pub fn parse(url: &str, options: &Options) -> Result<Uri, Error> {
    let refused = |reason| Error::NotAnAddress { url: url.to_owned(), reason };
    let address: Uri = url.parse().map_err(|_| refused("it is no address; https://host/path is one"))?;
    check(&address, options).map_err(refused)?;
    Ok(address)
}

/// Why an address is not asked.
pub fn check(address: &Uri, options: &Options) -> Result<(), &'static str> {
    match address.scheme_str() {
        _ if address.host().is_none_or(str::is_empty) => Err("it names no host; https://host/path does"),
        Some("https") => Ok(()),
        Some("http") if options.allow_http || is_here(address) => Ok(()),
        Some("http") => Err("what http brings can be changed on the way; https would work"),
        _ => Err("it does not begin with https://"),
    }
}

/// Whether an address is this machine's own.
pub fn is_here(address: &Uri) -> bool {
    let host = address.host().unwrap_or_default().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Where a link leads from an address.
pub fn resolve(from: &Uri, link: &str) -> Option<Uri> {
    let (scheme, authority) = (from.scheme_str()?, from.authority()?);
    let absolute = if link.contains("://") {
        link.to_owned()
    } else if let Some(rest) = link.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if link.starts_with('/') {
        format!("{scheme}://{authority}{link}")
    } else {
        let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{link}")
    };
    absolute.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_on_from_where_they_stand() {
        let from = "https://example.org/a/b?c".parse().unwrap();
        for (link, to) in [
            ("https://example.com/x?y=1", "https://example.com/x?y=1"),
            ("//example.com/x", "https://example.com/x"),
            ("/x", "https://example.org/x"),
            ("x", "https://example.org/a/x"),
        ] {
            assert_eq!(resolve(&from, link).unwrap().to_string(), to);
        }
    }

    #[test]
    fn http_is_for_this_machine() {
        let may = |url: &str| parse(url, &Options::default()).is_ok();
        for url in ["https://example.org/x", "http://localhost:8000/x", "http://127.0.0.1/x", "http://[::1]:80/x"] {
            assert!(may(url), "{url}");
        }
        for url in ["http://example.org/x", "http://127.0.0.1.example.org/x", "ftp://example.org/x", "x", "/x", ""] {
            assert!(!may(url), "{url}");
        }
        assert!(parse("http://example.org/x", &Options { allow_http: true, ..Options::default() }).is_ok());
    }
}
