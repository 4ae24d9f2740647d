//! Files out of zip archives.

mod server;
mod zip;

use std::{fs, path::Path};

use entoptic_download::{Downloaded, Error, Options, Source, download};

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
