//! Files from addresses: servers that do as they should, and servers that do not.

mod server;

use std::{
    fs,
    io::Write,
    ops::ControlFlow,
    thread,
    time::{Duration, Instant},
};

use entoptic_download::{Error, Options, Progress, Proxy, Source, download};

use server::{Request, Server, answer, answer_ranges, bytes, from_url, names, on, place, quick};

/// Of `abc`, from FIPS 180-2.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn a_file_comes_whole_and_its_progress_is_told() {
    let content = bytes(300_000);
    let sent = content.clone();
    let server = Server::start(move |_, _, stream| answer(stream, "200 OK", &[], &sent));
    let (folder, path) = place();
    let path = path.with_file_name("made/on the way/model.bin");
    let mut seen: Vec<Progress> = Vec::new();
    let source = Source::Url { url: server.url("/model.bin") };
    let file = download(&source, &path, &quick(), &mut |progress| {
        seen.push(progress);
        ControlFlow::Continue(())
    });
    assert_eq!(file.unwrap().bytes, 300_000);
    assert_eq!(fs::read(&path).unwrap(), content);
    assert_eq!(names(path.parent().unwrap()), ["model.bin"]);
    assert_eq!(seen.first(), Some(&Progress { bytes: 0, total: Some(300_000) }));
    assert_eq!(seen.last(), Some(&Progress { bytes: 300_000, total: Some(300_000) }));
    assert!(seen.is_sorted_by_key(|progress| progress.bytes));
    assert_eq!(server.requests()[0].header("accept-encoding"), Some("identity"));
    drop(folder);
}

#[test]
fn the_checksum_is_told_and_held_against_the_expected_one() {
    let server = Server::start(|_, _, stream| answer(stream, "200 OK", &["etag: \"1\""], b"abc"));
    let (folder, path) = place();
    let expecting = |checksum: &str| Options { checksum: Some(checksum.parse().unwrap()), ..quick() };
    for checksum in [ABC, "BA7816BF"] {
        let file = from_url(&server.url("/abc"), &path, &expecting(checksum)).unwrap();
        assert_eq!(file.sha256, ABC);
    }
    fs::remove_file(&path).unwrap();

    let error = from_url(&server.url("/abc"), &path, &expecting("ba7816be")).unwrap_err();
    let url = server.url("/abc");
    let expected = format!("`{url}` is not the file that was expected: its SHA-256 is {ABC}, not ba7816be");
    assert_eq!(error.to_string(), expected);
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn wrong_bytes_leave_an_older_file_as_it_was() {
    let server = Server::start(|_, _, stream| answer(stream, "200 OK", &[], b"abd"));
    let (folder, path) = place();
    fs::write(&path, "abc").unwrap();
    let options = Options { checksum: Some(ABC.parse().unwrap()), ..quick() };
    assert!(matches!(from_url(&server.url("/"), &path, &options), Err(Error::WrongChecksum { .. })));
    assert_eq!(fs::read(&path).unwrap(), b"abc");
    assert_eq!(names(folder.path()), ["model.bin"]);
}

#[test]
fn what_is_cut_off_goes_on_from_there() {
    let content = bytes(200_000);
    let sent = content.clone();
    let server = Server::start(move |_, request, stream| answer_ranges(stream, request, "\"v1\"", &sent, 80_000));
    let (folder, path) = place();
    from_url(&server.url("/model.bin"), &path, &quick()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), content);
    let asked: Vec<_> = server.requests().iter().map(Request::range).collect();
    assert_eq!(asked, [None, Some(80_000), Some(160_000)]);
    assert_eq!(server.requests()[1].header("if-range"), Some("\"v1\""));
    assert_eq!(names(folder.path()), ["model.bin"]);
}

#[test]
fn a_later_download_goes_on_from_what_an_earlier_one_left() {
    let content = bytes(200_000);
    let sent = content.clone();
    let server = Server::start(move |n, request, stream| {
        answer_ranges(stream, request, "\"v1\"", &sent, if n < 2 { 50_000 } else { usize::MAX });
    });
    let (folder, path) = place();
    let url = server.url("/model.bin");
    let error = from_url(&url, &path, &Options { attempts: 2, ..quick() }).unwrap_err();
    let expected = format!(
        "`{url}` was cut off after 100000 of 200000 bytes: the connection was closed; the same again goes on from there"
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(names(folder.path()), ["model.bin.part", "model.bin.part.from"]);

    let file = from_url(&url, &path, &quick()).unwrap();
    assert_eq!(server.requests()[2].range(), Some(100_000));
    assert_eq!(fs::read(&path).unwrap(), content);
    assert_eq!(names(folder.path()), ["model.bin"]);
    assert_eq!(file.bytes, 200_000);
}

#[test]
fn what_is_left_of_another_address_is_not_taken_up() {
    let server = Server::start(|n, request, stream| {
        let content = bytes(9_000);
        answer_ranges(stream, request, "\"v1\"", &content, if n == 0 { 5_000 } else { usize::MAX });
    });
    let (_folder, path) = place();
    from_url(&server.url("/a"), &path, &Options { attempts: 1, ..quick() }).unwrap_err();
    from_url(&server.url("/b"), &path, &quick()).unwrap();
    assert_eq!(server.requests()[1].range(), None);
    assert_eq!(fs::read(&path).unwrap(), bytes(9_000));
}

#[test]
fn a_file_that_has_changed_since_starts_anew() {
    let new: Vec<u8> = bytes(90_000).iter().map(|byte| !byte).collect();
    for heeds_the_version in [true, false] {
        let sent = new.clone();
        let server = Server::start(move |n, request, stream| match (n, heeds_the_version) {
            (0, _) => answer_ranges(stream, request, "\"v1\"", &bytes(100_000), 40_000),
            (_, true) => answer_ranges(stream, request, "\"v2\"", &sent, usize::MAX),
            (_, false) if request.range().is_some() => {
                let headers = ["etag: \"v2\"", "content-range: bytes 40000-89999/90000"];
                answer(stream, "206 Partial Content", &headers, &sent[40_000..]);
            }
            (_, false) => answer(stream, "200 OK", &["etag: \"v2\""], &sent),
        });
        let (_folder, path) = place();
        from_url(&server.url("/"), &path, &quick()).unwrap();
        assert_eq!(server.requests()[1].range(), Some(40_000));
        assert!(fs::read(&path).unwrap() == new);
    }
}

#[test]
fn servers_without_ranges_or_versions_start_anew() {
    for headers in [vec!["etag: \"v1\"", "content-length: 50000"], vec!["etag: w/\"v1\"", "content-length: 50000"]] {
        let server = Server::start(move |n, _, stream| {
            let content = bytes(50_000);
            answer(stream, "200 OK", &headers, &content[..if n == 0 { 20_000 } else { 50_000 }]);
        });
        let (_folder, path) = place();
        from_url(&server.url("/"), &path, &quick()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes(50_000));
    }
}

#[test]
fn nothing_is_kept_that_cannot_be_gone_on_with() {
    let server = Server::start(|_, _, stream| answer(stream, "200 OK", &["content-length: 9"], b"abc"));
    let (folder, path) = place();
    let error = from_url(&server.url("/"), &path, &Options { attempts: 2, ..quick() }).unwrap_err().to_string();
    assert!(error.contains("cut off after 3 of 9 bytes") && error.contains("starts anew"), "{error}");
    assert_eq!(server.requests().iter().map(Request::range).collect::<Vec<_>>(), [None, None]);
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_range_that_is_refused_starts_anew() {
    let server = Server::start(|n, request, stream| match (n, request.range()) {
        (0, _) => answer_ranges(stream, request, "\"v1\"", &bytes(1_000), 600),
        (_, Some(_)) => answer(stream, "416 Range Not Satisfiable", &["content-range: bytes */500"], b""),
        (_, None) => answer(stream, "200 OK", &[], &bytes(500)),
    });
    let (_folder, path) = place();
    assert_eq!(from_url(&server.url("/"), &path, &quick()).unwrap().bytes, 500);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_length_that_is_too_large_is_an_error_and_one_too_small_fails_the_checksum() {
    let (folder, path) = place();
    let server = Server::start(|_, request, stream| match request.range() {
        None => answer(stream, "200 OK", &["etag: \"1\"", "content-length: 4"], b"abc"),
        Some(_) => answer(stream, "416 Range Not Satisfiable", &[], b""),
    });
    let error = from_url(&server.url("/"), &path, &quick()).unwrap_err();
    assert!(matches!(error, Error::Interrupted { bytes: 3, total: Some(4), .. }), "{error}");
    fs::remove_file(path.with_file_name("model.bin.part")).unwrap();
    fs::remove_file(path.with_file_name("model.bin.part.from")).unwrap();

    let server = Server::start(|_, _, stream| answer(stream, "200 OK", &["content-length: 2"], b"abc"));
    let options = Options { checksum: Some(ABC.parse().unwrap()), ..quick() };
    let error = from_url(&server.url("/"), &path, &options).unwrap_err();
    assert!(matches!(error, Error::WrongChecksum { .. }), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn slow_is_fine_and_stalled_is_not() {
    let (folder, path) = place();
    let slow = Server::start(|_, _, stream| {
        answer(stream, "200 OK", &["content-length: 10"], b"");
        for byte in bytes(10) {
            thread::sleep(Duration::from_millis(60));
            stream.write_all(&[byte]).unwrap();
        }
    });
    let options = Options { stall: Duration::from_millis(300), attempts: 2, ..quick() };
    from_url(&slow.url("/"), &path, &options).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes(10));

    let stalled = Server::start(|n, request, stream| {
        answer_ranges(stream, request, "\"v1\"", &bytes(10), if n == 0 { 6 } else { 0 });
        let stream = stream.try_clone().unwrap();
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(5));
            drop(stream);
        });
    });
    let path = folder.path().join("stalled.bin");
    let begun = Instant::now();
    let error = from_url(&stalled.url("/"), &path, &options).unwrap_err().to_string();
    assert!(error.contains("cut off after 6 of 10 bytes: no byte came in 300ms"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_server_that_never_answers_is_not_waited_for() {
    let server = Server::start(|_, _, _| thread::sleep(Duration::from_secs(5)));
    let (folder, path) = place();
    let options = Options { stall: Duration::from_millis(200), ..quick() };
    let error = from_url(&server.url("/"), &path, &options).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot reach `{}`: no byte came in 200ms", server.url("/")));
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn who_does_not_listen_is_unreachable() {
    let (_folder, path) = place();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = from_url(&format!("http://{free}/"), &path, &quick()).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot reach `http://{free}/`: connection refused"));
}

#[test]
fn other_answers_than_the_file_are_errors() {
    let server = Server::start(|_, request, stream| {
        let status = &request.path()[1..];
        answer(stream, &format!("{status} Whatever"), &[], b"<html>");
    });
    let (folder, path) = place();
    for (status, says) in [
        (404, "the file is not there anymore, or its address is misspelt"),
        (403, "it is not for everyone, or not from here"),
        (500, "the server has a problem; it may have none later"),
        (206, "that is no file"),
        (304, "that is no file"),
    ] {
        let url = server.url(&format!("/{status}"));
        let error = from_url(&url, &path, &quick()).unwrap_err();
        assert_eq!(error.to_string(), format!("`{url}` answers {status}: {says}"));
        assert_eq!(names(folder.path()), [""; 0]);
    }
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn redirections_are_followed_with_the_range() {
    let server = Server::start(|_, request, stream| match request.path() {
        "/old" => answer(stream, "302 Found", &["location: /new/there"], b"moved"),
        "/new/there" => answer(stream, "301 Moved Permanently", &["location: here?x=1"], b""),
        "/new/here?x=1" => answer_ranges(stream, request, "\"v1\"", &bytes(10_000), 6_000),
        other => panic!("{other}"),
    });
    let (_folder, path) = place();
    from_url(&server.url("/old"), &path, &quick()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes(10_000));
    assert_eq!(server.requests()[5].range(), Some(6_000));
}

#[test]
fn redirections_end_somewhere() {
    let server = Server::start(|_, _, stream| answer(stream, "302 Found", &["location: /"], b""));
    let (_folder, path) = place();
    let error = from_url(&server.url("/"), &path, &quick()).unwrap_err();
    assert!(error.to_string().contains("more than 10 times"), "{error}");
    assert_eq!(server.requests().len(), 11);
}

#[test]
fn redirections_do_not_lead_to_http_elsewhere() {
    let server =
        Server::start(|_, _, stream| answer(stream, "302 Found", &["location: http://192.0.2.1/model.bin"], b""));
    let (_folder, path) = place();
    let error = from_url(&server.url("/"), &path, &quick()).unwrap_err().to_string();
    assert!(error.contains("sends on to `http://192.0.2.1/model.bin`: what http brings can be changed"), "{error}");
}

#[test]
fn http_elsewhere_is_not_asked() {
    let (folder, path) = place();
    let error = from_url("http://192.0.2.1/x", &path, &quick()).unwrap_err();
    let says =
        "`http://192.0.2.1/x` cannot be downloaded: what http brings can be changed on the way; https would work";
    assert_eq!(error.to_string(), says);
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_proxy_gets_the_request() {
    let proxy = Server::start(|_, request, stream| {
        assert_eq!(request.line(), "connect example.org:80 http/1.1");
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let request = Request::read(stream);
        assert_eq!(request.line(), "get /model.bin http/1.1");
        answer(stream, "200 OK", &[], b"abc");
    });
    let (_folder, path) = place();
    let through = |proxy: String| Options { proxy: Proxy::Address(proxy), allow_http: true, ..quick() };
    let file = from_url("http://example.org/model.bin", &path, &through(proxy.url(""))).unwrap();
    assert_eq!(file.sha256, ABC);
    assert_eq!(proxy.requests().len(), 1);

    let error = from_url("http://example.org/model.bin", &path, &through("gopher://user:secret@x".into())).unwrap_err();
    assert!(error.to_string().starts_with("the proxy asked for is no address of a proxy"), "{error}");
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn a_proxy_that_refuses_is_said_to() {
    let proxy = Server::start(|_, _, stream| answer(stream, "407 Proxy Authentication Required", &[], b""));
    let (_folder, path) = place();
    let options = Options { proxy: Proxy::Address(proxy.url("")), ..quick() };
    let error = from_url("https://example.org/model.bin", &path, &options).unwrap_err().to_string();
    assert!(error.starts_with("cannot reach `https://example.org/model.bin`: ") && error.contains("407"), "{error}");
    assert!(error.ends_with(" (asked through a proxy)"), "{error}");
}

#[test]
fn who_watches_can_end_it_and_what_has_come_is_kept() {
    let server = Server::start(|_, request, stream| {
        answer_ranges(stream, request, "\"v1\"", &bytes(500_000), usize::MAX);
    });
    let (folder, path) = place();
    let source = Source::Url { url: server.url("/") };
    let until = |progress: Progress| {
        if progress.bytes > 100_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let error = download(&source, &path, &quick(), &mut { until }).unwrap_err();
    assert!(matches!(error, Error::Ended { .. }), "{error}");
    assert_eq!(names(folder.path()), ["model.bin.part", "model.bin.part.from"]);
    download(&source, &path, &quick(), &mut on).unwrap();
    assert!(server.requests()[1].range().unwrap() > 100_000);
    assert_eq!(fs::read(&path).unwrap(), bytes(500_000));
}
