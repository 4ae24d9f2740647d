use std::time::Duration;

use crate::{Checksum, Proxy};

/// How a file is brought.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the file's SHA-256 has to be. Any, by default.
    pub checksum: Option<Checksum>,
    /// Whether addresses may begin with `http://`, too. By default only this machine's may.
    pub allow_http: bool,
    /// What stands between here and the network. By default what the environment says.
    pub proxy: Proxy,
    /// How long it may take to connect. 15 seconds by default.
    pub connect: Duration,
    /// How long no byte may come; however slow, what comes is no stall. 60 seconds by default.
    pub stall: Duration,
    /// How often a download is begun or taken up again in all, if it is cut off midway. 4 by default.
    pub attempts: u32,
    /// How long to wait before it is taken up again; twice as long each time. 1 second by default.
    pub pause: Duration,
    /// How pip is called: the first of these commands that runs. `python3 -m pip` and the like by default.
    pub pip: Vec<Vec<String>>,
}

impl Default for Options {
    fn default() -> Self {
        let commands = ["python3 -m pip", "python -m pip", "pip3", "pip"];
        Self {
            checksum: None,
            allow_http: false,
            proxy: Proxy::Environment,
            connect: Duration::from_secs(15),
            stall: Duration::from_secs(60),
            attempts: 4,
            pause: Duration::from_secs(1),
            pip: commands.map(|command| command.split(' ').map(str::to_owned).collect()).to_vec(),
        }
    }
}
