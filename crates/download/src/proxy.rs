//! Which proxy an address is reached through.

use std::env;

use ureq::http::Uri;

use crate::{Error, address::is_here};

/// What stands between here and the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// What the environment says: `HTTPS_PROXY` or `HTTP_PROXY`, else `ALL_PROXY`, but none for what `NO_PROXY` lists,
    /// nor for this machine. Their names in small letters go first.
    #[default]
    Environment,
    /// A proxy for all addresses, such as `http://host:port` or `socks5://user:password@host:port`.
    Address(String),
    /// None.
    Direct,
}

impl Proxy {
    /// The proxy for an address.
    pub(crate) fn of(&self, address: &Uri) -> Result<Option<ureq::Proxy>, Error> {
        let (what, proxy) = match self {
            Self::Direct => return Ok(None),
            Self::Address(proxy) => ("the proxy asked for".into(), proxy.clone()),
            Self::Environment => match from_environment(address, |name| env::var(name).ok()) {
                Some((name, proxy)) => (format!("what `{name}` says"), proxy),
                None => return Ok(None),
            },
        };
        ureq::Proxy::new(&proxy).map(Some).map_err(|_| Error::NotAProxy { what })
    }
}

/// The variable that names a proxy for an address, and what it says. ureq would take `ALL_PROXY` first, `HTTP_PROXY` for
/// https, and hosts of `NO_PROXY` without those below them.
fn from_environment(address: &Uri, variable: impl Fn(&str) -> Option<String>) -> Option<(String, String)> {
    let said = |name: &str| {
        let spellings = [name.to_ascii_lowercase(), name.to_owned()];
        spellings.into_iter().find_map(|name| Some((variable(&name).filter(|value| !value.is_empty())?, name)))
    };
    let host = address.host()?.to_ascii_lowercase();
    let exempt = said("NO_PROXY").is_some_and(|(hosts, _)| hosts.split(',').any(|entry| covers(entry.trim(), &host)));
    if exempt || is_here(address) {
        return None;
    }
    let scheme = address.scheme_str()?.to_ascii_uppercase();
    let (proxy, name) = said(&format!("{scheme}_PROXY")).or_else(|| said("ALL_PROXY"))?;
    Some((name, proxy))
}

/// Whether an entry of `NO_PROXY` means a host: itself, a domain it is in, or all.
fn covers(entry: &str, host: &str) -> bool {
    let domain = entry.trim_start_matches('*').trim_start_matches('.').to_ascii_lowercase();
    let within = || host.strip_suffix(&domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    entry == "*" || (!domain.is_empty() && within())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(address: &str, environment: &[(&str, &str)]) -> Option<String> {
        let variable =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        from_environment(&address.parse().unwrap(), variable).map(|(_, proxy)| proxy)
    }

    #[test]
    fn the_proxy_is_the_one_of_the_scheme_before_the_one_of_all() {
        let environment = [("HTTPS_PROXY", "http://a"), ("http_proxy", "http://b"), ("ALL_PROXY", "http://c")];
        assert_eq!(chosen("https://example.org/x", &environment).as_deref(), Some("http://a"));
        assert_eq!(chosen("http://example.org/x", &environment).as_deref(), Some("http://b"));
        assert_eq!(chosen("https://example.org/x", &environment[1..]).as_deref(), Some("http://c"));
        assert_eq!(chosen("https://example.org/x", &[("HTTP_PROXY", "http://b"), ("HTTPS_PROXY", "")]), None);
        assert_eq!(chosen("http://127.0.0.1/x", &environment), None);
        assert_eq!(chosen("http://localhost:80/x", &environment), None);
    }

    #[test]
    fn no_proxy_lists_hosts_and_their_domains() {
        for (hosts, exempt) in [
            ("example.org", true),
            ("example.com, .example.org", true),
            ("*.example.org", true),
            ("files.example.org", true),
            ("*", true),
            ("ample.org", false),
            ("other.example.org,", false),
            ("", false),
        ] {
            let environment = [("HTTPS_PROXY", "http://a"), ("no_proxy", hosts)];
            assert_eq!(chosen("https://Files.example.org/x", &environment).is_none(), exempt, "{hosts}");
        }
    }
}
