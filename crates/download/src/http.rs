//! A file from an address, taken up again where it was cut off.

use std::{
    io::{self, Read},
    ops::ControlFlow,
    thread,
};

use ureq::{
    Agent, Body,
    http::{HeaderName, Response, Uri, header},
};

use crate::{
    Error, Options, Progress, address,
    download::Observer,
    part::{CHUNK, Part},
    trust,
};

/// How often a server may send on. Browsers allow 20, curl 50; one or two are usual.
const REDIRECTIONS: usize = 10;

/// What went wrong with one attempt.
enum Failure {
    /// It would again.
    Lasting(Error),
    /// It may not the next time.
    Passing(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Lasting(error)
    }
}

/// Brings all of an address into `part`. What has begun to come and is cut off is taken up again, a few times.
pub fn fetch(url: &str, part: &mut Part, options: &Options, observer: &mut Observer<'_>) -> Result<(), Error> {
    let address = address::parse(url, options)?;
    part.take_up(url)?;
    let mut attempt = Attempt { url, address, options, begun: false, total: None };
    let mut pause = options.pause;
    for left in (0..options.attempts.max(1)).rev() {
        match attempt.run(part, observer) {
            Ok(()) => return Ok(()),
            Err(Failure::Lasting(error)) => return Err(error),
            Err(Failure::Passing(reason)) if !attempt.begun => {
                return Err(Error::Unreachable { url: url.to_owned(), reason });
            }
            Err(Failure::Passing(reason)) if left == 0 => {
                let (bytes, resumable) = (part.length(), part.version().is_some());
                return Err(Error::Interrupted { url: url.to_owned(), bytes, total: attempt.total, reason, resumable });
            }
            Err(Failure::Passing(_)) => {}
        }
        thread::sleep(pause);
        pause *= 2;
    }
    unreachable!("the last attempt returns")
}

struct Attempt<'a> {
    url: &'a str,
    address: Uri,
    options: &'a Options,
    /// Whether any byte has come.
    begun: bool,
    /// How long the file is, if the server says.
    total: Option<u64>,
}

impl Attempt<'_> {
    fn run(&mut self, part: &mut Part, observer: &mut Observer<'_>) -> Result<(), Failure> {
        let mut response = self.ask(part)?;
        let answers_part = matches!(response.status().as_u16(), 206 | 416) && part.version().is_some();
        if answers_part && !continues(&response, part) {
            part.clear()?;
            response = self.ask(part)?;
        }
        match response.status().as_u16() {
            206 if part.version().is_some() => {}
            200 => part.start(self.url, version(&response))?,
            500.. if self.begun => return Err(Failure::Passing(format!("the server answers {}", response.status()))),
            status => return Err(Error::Status { url: self.url.to_owned(), status }.into()),
        }
        let rest = response.body().content_length();
        self.total = content_range(&response).map(|(_, total)| total).or(rest.map(|rest| part.length() + rest));
        self.receive(response.into_body(), part, observer)
    }

    fn receive(&mut self, body: Body, part: &mut Part, observer: &mut Observer<'_>) -> Result<(), Failure> {
        let mut body = body.into_reader();
        let mut buffer = vec![0; CHUNK];
        loop {
            if let ControlFlow::Break(()) = observer(Progress { bytes: part.length(), total: self.total }) {
                return Err(Error::Ended { path: part.destination().to_owned() }.into());
            }
            match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => part.write(&buffer[..read])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Passing(self.reason(error.into()))),
            }
            self.begun = true;
        }
        match self.total {
            Some(total) if total != part.length() => Err(Failure::Passing("the connection was closed".into())),
            _ => Ok(()),
        }
    }

    /// The answer to a request for what is missing, after all redirections.
    fn ask(&self, part: &Part) -> Result<Response<Body>, Failure> {
        let mut address = self.address.clone();
        for _ in 0..=REDIRECTIONS {
            let proxy = self.options.proxy.of(&address)?;
            let through = if proxy.is_some() { " (asked through a proxy)" } else { "" };
            // Bytes as they are, not compressed for the way.
            let mut request = self.agent(proxy)?.get(&address).header(header::ACCEPT_ENCODING, "identity");
            if let Some(version) = part.version() {
                let range = format!("bytes={}-", part.length());
                request = request.header(header::RANGE, range).header(header::IF_RANGE, version);
            }
            let response = request.call().map_err(|error| Failure::Passing(self.reason(error) + through))?;
            let next = text(&response, header::LOCATION).filter(|_| response.status().is_redirection());
            let Some(next) = next else { return Ok(response) };
            let refused = |reason| Error::Redirected { url: self.url.to_owned(), next: next.to_owned(), reason };
            let resolved = address::resolve(&address, next).ok_or_else(|| refused("that is no address"))?;
            if address.scheme_str() == Some("https") && resolved.scheme_str() != Some("https") {
                return Err(refused("what http brings can be changed on the way; https would be followed").into());
            }
            address::check(&resolved, self.options).map_err(refused)?;
            address = resolved;
        }
        let (url, next) = (self.url.to_owned(), address.to_string());
        Err(Error::Redirected { url, next, reason: "that makes more than 10 times, and seems to have no end" }.into())
    }

    fn agent(&self, proxy: Option<ureq::Proxy>) -> Result<Agent, Error> {
        let config = Agent::config_builder()
            .user_agent(concat!("entoptic/", env!("CARGO_PKG_VERSION")))
            .proxy(proxy)
            // Both are looked at by who asks.
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_resolve(Some(self.options.connect))
            .timeout_connect(Some(self.options.connect))
            .timeout_per_read(Some(self.options.stall))
            .timeout_per_write(Some(self.options.stall))
            .tls_config(trust::tls_config()?);
        Ok(config.build().new_agent())
    }

    /// What a failed connection says, in a few words.
    fn reason(&self, error: ureq::Error) -> String {
        use ureq::Timeout::{Connect, Resolve};
        match error {
            ureq::Error::HostNotFound => "no such host is known here; is there a network?".into(),
            ureq::Error::Timeout(Connect | Resolve) => format!("no connection in {:?}", self.options.connect),
            ureq::Error::Timeout(_) => format!("no byte came in {:?}", self.options.stall),
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                "the connection was closed".into()
            }
            ureq::Error::Io(error) if error.raw_os_error().is_some() => error.kind().to_string(),
            ureq::Error::Io(error) if error.to_string().contains("certificate") => {
                format!("{error}; SSL_CERT_FILE can name a file of certificates to trust")
            }
            ureq::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        }
    }
}

fn text(response: &Response<Body>, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

/// What a server calls the version it sends: its entity tag, unless that is a weak one, or when it was last changed.
fn version(response: &Response<Body>) -> Option<&str> {
    let tag = text(response, header::ETAG).filter(|tag| tag.starts_with('"'));
    tag.or_else(|| text(response, header::LAST_MODIFIED))
}

/// Whether an answer begins where `part` ends, and is of the same version.
fn continues(response: &Response<Body>, part: &Part) -> bool {
    response.status().as_u16() == 206
        && content_range(response).is_some_and(|(first, _)| first == part.length())
        && version(response).is_none_or(|version| Some(version) == part.version())
}

/// The first byte of a part, and how many bytes the whole has: `bytes 100-199/200`.
fn content_range(response: &Response<Body>) -> Option<(u64, u64)> {
    let (range, total) = text(response, header::CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.parse().ok()?, total.parse().ok()?))
}
