//! Opens a page in Chromium, lets a script act on it as a reader would, and hears what went wrong.

use std::{
    env, fs,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Stands at the start of the page, so that it hears of every error.
const PRELUDE: &str = include_str!("prelude.js");

/// Lets the page load nothing but files and `data:` URLs, and tells the prelude of all else it tries.
const POLICY: &str = "default-src 'unsafe-inline' file: data: blob:";

/// How long the script may take; then the browser writes out the page as it is.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long the browser may take all in all.
const PATIENCE_WITH_BROWSER: Duration = Duration::from_secs(120);

/// The Chromium that `ENTOPTIC_CHROMIUM` names, or the first one in `PATH`.
pub fn browser() -> Option<PathBuf> {
    if let Some(named) = env::var_os("ENTOPTIC_CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    let path = env::var_os("PATH")?;
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|program| program.is_file())
}

/// What is wrong with a page when the script acts on it: nothing, if all is well.
///
/// The script calls `test(async () => { .. })` and in it the functions of `prelude.js`.
///
/// # Panics
/// If the page cannot be read or the browser cannot be started.
pub fn visit(browser: &Path, page: &Path, script: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let visited = folder.path().join("page.html");
    let page = fs::read_to_string(page).expect("the page can be read");
    fs::write(&visited, with_script(&page, script)).expect("the temporary folder can be written");

    let [dom, log] = ["dom", "log"].map(|name| folder.path().join(name));
    let ended = run(browser, &visited, &folder.path().join("profile"), &dom, &log);
    let [dom, log] = [dom, log].map(|path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned());

    let mut complaints = match report(&dom) {
        Some(complaints) => complaints,
        None => vec![format!("no report: the script did not come to its end, and the browser {ended}")],
    };
    complaints.extend(console_lines(&log));
    complaints
}

/// The page with the prelude before and the script behind all that is its own.
fn with_script(page: &str, script: &str) -> String {
    let head = page.find("<head>").expect("the page has a head") + "<head>".len();
    let end = page.rfind("</body>").expect("the page has a body");
    let policy = format!(r#"<meta http-equiv="Content-Security-Policy" content="{POLICY}">"#);
    let (before, own, after) = (&page[..head], &page[head..end], &page[end..]);
    format!("{before}{policy}<script>{PRELUDE}</script>{own}<script>{script}</script>{after}")
}

/// Runs the browser to its end and says what that was.
fn run(browser: &Path, page: &Path, profile: &Path, dom: &Path, log: &Path) -> String {
    let file = |path| Stdio::from(File::create(path).expect("the temporary folder can be written"));
    let mut child = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args(["--window-size=1200,900", "--dump-dom", "--enable-logging=stderr"])
        .arg(format!("--timeout={}", PATIENCE.as_millis()))
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .stdout(file(dom))
        .stderr(file(log))
        .spawn()
        .expect("the browser starts");

    let start = Instant::now();
    while start.elapsed() < PATIENCE_WITH_BROWSER {
        if let Some(status) = child.try_wait().expect("the browser can be waited for") {
            return format!("ended with {status}");
        }
        thread::sleep(Duration::from_millis(50));
    }
    child.kill().and_then(|()| child.wait()).expect("the browser can be ended");
    format!("was ended after {PATIENCE_WITH_BROWSER:?}")
}

/// The complaints that the prelude wrote into the page.
fn report(dom: &str) -> Option<Vec<String>> {
    let start = r#"<pre id="report">"#;
    let text = &dom[dom.rfind(start)? + start.len()..];
    let text = &text[..text.find("</pre>")?];
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u{a0}").replace("&amp;", "&");
    let report: serde_json::Value = serde_json::from_str(&text).ok()?;
    let complaints = report["complaints"].as_array()?;
    Some(complaints.iter().map(|complaint| complaint.as_str().unwrap_or_default().to_owned()).collect())
}

/// What the page wrote to the console. Its level is not in the log, so a good page writes nothing at all.
fn console_lines(log: &str) -> impl Iterator<Item = String> {
    let line = |line: &str| {
        let (tag, words) = line.split_once("] ")?;
        tag.contains(":CONSOLE").then(|| format!("console: {words}"))
    };
    log.lines().filter_map(line)
}
