//! A server on this machine that answers as a test wants, well or badly.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use entoptic_download::{Downloaded, Error, Options, Progress, Source, download};

/// A server, and the requests it has had so far.
pub struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// The head of a request, in small letters.
#[derive(Clone, Debug)]
pub struct Request(String);

impl Request {
    pub fn read(stream: &TcpStream) -> Self {
        let lines = BufReader::new(stream).lines().map(|line| line.unwrap_or_default());
        let lines: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        Self(lines.join("\n").to_lowercase())
    }

    pub fn line(&self) -> &str {
        self.0.lines().next().unwrap_or_default()
    }

    pub fn path(&self) -> &str {
        self.line().split(' ').nth(1).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Where the range it asks for begins.
    pub fn range(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

impl Server {
    /// Answers the first request by `answer(0, ..)`, the next by `answer(1, ..)`, and closes each connection after it.
    pub fn start(mut answer: impl FnMut(usize, &Request, &mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        thread::spawn(move || {
            for (n, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let request = Request::read(&stream);
                seen.lock().unwrap().push(request.clone());
                answer(n, &request, &mut stream);
            }
        });
        Self { port, requests }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// Answers with a head and a body; the length is the body's unless the head says one.
pub fn answer(stream: &mut TcpStream, status: &str, headers: &[&str], body: &[u8]) {
    let length = format!("content-length: {}", body.len());
    let says_one = headers.iter().any(|header| header.starts_with("content-length"));
    let headers: Vec<&str> = headers.iter().copied().chain((!says_one).then_some(length.as_str())).collect();
    let head = format!("HTTP/1.1 {status}\r\n{}\r\nconnection: close\r\n\r\n", headers.join("\r\n"));
    // Who asked may have gone.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// Answers as a good server does, ranges included, but sends no more than `most` bytes of what it announces.
pub fn answer_ranges(stream: &mut TcpStream, request: &Request, version: &str, bytes: &[u8], most: usize) {
    let version = format!("etag: {version}");
    match request.range().filter(|_| request.header("if-range") == version.strip_prefix("etag: ")) {
        Some(first) => {
            let range = format!("content-range: bytes {first}-{}/{}", bytes.len() - 1, bytes.len());
            let length = format!("content-length: {}", bytes.len() - first);
            let rest = &bytes[first..];
            answer(stream, "206 Partial Content", &[&version, &range, &length], &rest[..most.min(rest.len())]);
        }
        None => {
            let length = format!("content-length: {}", bytes.len());
            answer(stream, "200 OK", &[&version, &length], &bytes[..most.min(bytes.len())]);
        }
    }
}

/// Bytes without a pattern, `n` of them, so that a mistake by a few shows.
pub fn bytes(n: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        // Marsaglia's xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..n).map(|_| next()).collect()
}

/// Options that wait for nothing long.
pub fn quick() -> Options {
    Options { pause: Duration::ZERO, stall: Duration::from_secs(5), ..Options::default() }
}

pub fn from_url(url: &str, to: &Path, options: &Options) -> Result<Downloaded, Error> {
    download(&Source::Url { url: url.into() }, to, options, &mut on)
}

/// An observer that lets everything go on.
pub fn on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The names in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder for one test, and the name of a file in it.
pub fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.bin");
    (folder, path)
}
