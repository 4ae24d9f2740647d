use std::{io, path::PathBuf};

/// What can go wrong with a file on its way: addresses, servers, archives and folders.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A text that is no checksum.
    #[error("`{text}` is no checksum; it is a SHA-256, or its first 8 or more hexadecimal digits")]
    NotAChecksum {
        /// The text.
        text: String,
    },

    /// An address that nothing is downloaded from.
    #[error("`{url}` cannot be downloaded: {reason}")]
    NotAnAddress {
        /// The address.
        url: String,
        /// Why not, and what would have worked.
        reason: &'static str,
    },

    /// A proxy that is none.
    #[error("{what} is no address of a proxy; `http://host:port` is one, and so is `socks5://host:port`")]
    NotAProxy {
        /// Where it was said; proxies have passwords, so they are not repeated.
        what: String,
    },

    /// A package that pip cannot be asked for.
    #[error("`{package}` is no package of one version; `torch==2.9.0` is")]
    NotAPackage {
        /// What was asked for.
        package: String,
    },

    /// A file that cannot be written.
    #[error("cannot write {}: {reason}", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },

    /// A file that is being downloaded already.
    #[error("{} is being downloaded by another process; it is here when that one is done", .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },

    /// Certificates that cannot be read.
    #[error("cannot read the certificates in {}, which SSL_CERT_FILE names: {reason}", .path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },

    /// A server that does not answer.
    #[error("cannot reach `{url}`: {reason}")]
    Unreachable {
        /// The address.
        url: String,
        /// Why not.
        reason: String,
    },

    /// A server that answers something else than the file.
    #[error("`{url}` answers {status}: {}", meaning(*.status))]
    Status {
        /// The address.
        url: String,
        /// HTTP's number for it.
        status: u16,
    },

    /// A server that sends on to where it is not followed.
    #[error("`{url}` sends on to `{next}`: {reason}")]
    Redirected {
        /// The address.
        url: String,
        /// The one it sends on to.
        next: String,
        /// Why it is not followed.
        reason: &'static str,
    },

    /// A download that was cut off, also when it was taken up again.
    #[error("`{url}` was cut off after {bytes} {}bytes: {reason}; the same again {}", of(.total), again(*.resumable))]
    Interrupted {
        /// The address.
        url: String,
        /// How many bytes have come.
        bytes: u64,
        /// How many there are, if the server says.
        total: Option<u64>,
        /// What happened.
        reason: String,
        /// Whether the next download goes on from there.
        resumable: bool,
    },

    /// A download that its observer ended.
    #[error("the download of {} was ended before the file was whole", .path.display())]
    Ended {
        /// The file.
        path: PathBuf,
    },

    /// A file that came, but is another.
    #[error("`{source_name}` is not the file that was expected: its SHA-256 is {found}, not {expected}")]
    WrongChecksum {
        /// Where it came from.
        source_name: String,
        /// Its SHA-256.
        found: String,
        /// What it should have been, or begun with.
        expected: String,
    },

    /// An archive that cannot be read.
    #[error("`{archive}` cannot be unpacked: {reason}")]
    NotAnArchive {
        /// Where it came from.
        archive: String,
        /// Why not.
        reason: String,
    },

    /// A file that an archive does not hold.
    #[error("`{archive}` holds no `{member}`; it holds {}", first(.holds))]
    NoSuchMember {
        /// Where the archive came from.
        archive: String,
        /// The path asked for.
        member: String,
        /// The paths in it.
        holds: Vec<String>,
    },

    /// A path that several files of an archive end in.
    #[error("`{archive}` holds several `{member}`: {}; a longer path says which", first(.holds))]
    SeveralMembers {
        /// Where the archive came from.
        archive: String,
        /// The path asked for.
        member: String,
        /// Those that end in it.
        holds: Vec<String>,
    },

    /// A machine without pip.
    #[error("`{package}` comes through Python's pip, and none of {} runs here; Python brings one", quoted(.tried))]
    NoPip {
        /// The package.
        package: String,
        /// The commands that were tried.
        tried: Vec<String>,
    },

    /// A package that pip did not bring.
    #[error("`{command}` cannot download `{package}`: {reason}")]
    Pip {
        /// The command.
        command: String,
        /// The package.
        package: String,
        /// What pip says.
        reason: String,
    },
}

/// Why a file cannot be written, in a few words.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full".into(),
        io::ErrorKind::PermissionDenied => "it is not permitted".into(),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "part of its path is a file, not a folder".into()
        }
        kind => kind.to_string(),
    }
}

fn meaning(status: u16) -> &'static str {
    match status {
        401 | 403 | 407 => "it is not for everyone, or not from here",
        404 | 410 => "the file is not there anymore, or its address is misspelt",
        429 => "it was asked too often; it may answer later",
        500.. => "the server has a problem; it may have none later",
        _ => "that is no file",
    }
}

fn of(total: &Option<u64>) -> String {
    total.map_or(String::new(), |total| format!("of {total} "))
}

fn again(resumable: bool) -> &'static str {
    if resumable { "goes on from there" } else { "starts anew, because the server does not say which version it sends" }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// How many names are shown of a longer list.
const SHOWN: usize = 8;

fn first(names: &[String]) -> String {
    match names.len() {
        0 => "nothing".into(),
        n if n > SHOWN => format!("{} and {} more", quoted(&names[..SHOWN]), n - SHOWN),
        _ => quoted(names),
    }
}
