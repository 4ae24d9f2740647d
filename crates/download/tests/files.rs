//! Where files go: folders, names, and two downloads of one file.

mod server;

use std::{fs, ops::ControlFlow, path::Path};

use entoptic_download::{Error, Source, download};

use server::{Server, answer, answer_ranges, bytes, from_url, names, place, quick};

fn unwritable(path: &Path) -> String {
    let server = Server::start(|_, _, stream| answer(stream, "200 OK", &[], b"abc"));
    let error = from_url(&server.url("/"), path, &quick()).unwrap_err();
    assert!(matches!(error, Error::Unwritable { .. }));
    assert_eq!(server.requests().len(), 0);
    error.to_string()
}

#[test]
fn a_folder_of_that_name_is_left_alone() {
    let (_folder, path) = place();
    fs::create_dir(&path).unwrap();
    assert_eq!(unwritable(&path), format!("cannot write {}: it is a folder", path.display()));
}

#[test]
fn a_file_in_place_of_the_folder_is_said_to_be_one() {
    let (_folder, path) = place();
    fs::write(&path, "").unwrap();
    let within = path.join("model.bin");
    let says = format!("cannot write {}: part of its path is a file, not a folder", within.display());
    assert_eq!(unwritable(&within), says);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_said_to_be_one() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = place();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.path().join("probe"), "").is_ok() {
        eprintln!("skipped: whoever runs this may write everywhere");
        return;
    }
    assert_eq!(unwritable(&path), format!("cannot write {}: it is not permitted", path.display()));
}

#[test]
fn a_second_download_of_one_file_is_refused_until_the_first_is_done() {
    let server = Server::start(|_, request, stream| {
        answer_ranges(stream, request, "\"v1\"", &bytes(300_000), usize::MAX);
    });
    let (folder, path) = place();
    let url = server.url("/");
    let mut refused = 0;
    let first = download(&Source::Url { url: url.clone() }, &path, &quick(), &mut |_| {
        let error = from_url(&url, &path, &quick()).unwrap_err();
        assert!(matches!(error, Error::Busy { .. }), "{error}");
        refused += 1;
        ControlFlow::Continue(())
    });
    first.unwrap();
    assert!(refused > 1);
    assert_eq!(fs::read(&path).unwrap(), bytes(300_000));
    from_url(&url, &path, &quick()).unwrap();
    assert_eq!(names(folder.path()), ["model.bin"]);
}

#[test]
fn many_at_once_make_one_whole_file() {
    let server = Server::start(|_, request, stream| {
        answer_ranges(stream, request, "\"v1\"", &bytes(100_000), usize::MAX);
    });
    let (folder, path) = place();
    let (url, path) = (&server.url("/"), &path);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(move || {
                while let Err(error) = from_url(url, path, &quick()) {
                    assert!(matches!(error, Error::Busy { .. }), "{error}");
                    std::thread::yield_now();
                }
            });
        }
    });
    assert_eq!(&fs::read(path).unwrap(), &bytes(100_000));
    assert_eq!(names(folder.path()), ["model.bin"]);
}
