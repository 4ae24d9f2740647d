//! Videos, encoded by the program `ffmpeg`, to which the frames are piped as they are.

use std::{
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
};

use super::{Frames, Rate};

/// Writes frames through `program`, which is ffmpeg.
pub fn write(program: &str, to: &Path, frames: &Frames) -> Result<(), String> {
    let [h, w] = frames.size.map(even);
    let Rate(rate) = frames.rate;
    let mut ffmpeg = Command::new(program);
    ffmpeg.args(["-loglevel", "error", "-y"]);
    ffmpeg.args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &format!("{w}x{h}"), "-r", &rate.to_string(), "-i", "-"]);
    // What every player can read, and starts to play before all of it is there.
    ffmpeg.args(["-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4"]).arg(to);
    let ffmpeg = ffmpeg.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut ffmpeg = ffmpeg.map_err(|error| not_started(program, &error))?;
    let mut input = ffmpeg.stdin.take().expect("its input is piped");
    let piped = frames.each().try_for_each(|frame| input.write_all(&with_even_sides(frame, frames.size)));
    drop(input);
    let output = ffmpeg.wait_with_output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    match (output.status.success(), piped) {
        (true, Ok(())) => Ok(()),
        (true, Err(error)) => Err(format!("`{program}` did not read all frames ({error})")),
        (false, _) => Err(format!("`{program}` failed ({})", said.lines().last().unwrap_or("it does not say why"))),
    }
}

/// Whether `program` is there.
pub fn check(program: &str) -> Result<(), String> {
    let mut version = Command::new(program);
    version.arg("-version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    version.status().map(drop).map_err(|error| not_started(program, &error))
}

fn not_started(program: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "videos need the program `ffmpeg`, which is not on the PATH; .gif works without".into()
        }
        kind => format!("`{program}` does not start ({kind})"),
    }
}

/// Video has one color for two by two pixels, so sides are even.
fn even(side: usize) -> usize {
    side.next_multiple_of(2)
}

/// A frame `[h, w, 3]` whose last row and column are there twice where its sides are odd.
fn with_even_sides(frame: &[u8], [h, w]: [usize; 2]) -> Vec<u8> {
    let row = |y: usize| &frame[y * w * 3..(y + 1) * w * 3];
    let wide = |y: usize| (0..even(w)).flat_map(move |x| row(y)[x.min(w - 1) * 3..][..3].iter().copied());
    (0..even(h)).flat_map(|y| wide(y.min(h - 1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Frames {
        Frames { bytes: (0..2 * 3 * 3).collect(), size: [2, 3], rate: Rate(25.0) }
    }

    #[test]
    fn odd_sides_repeat_their_last_pixels() {
        let frame = [[1, 1, 1], [2, 2, 2], [3, 3, 3]].concat();
        let row = [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3];
        assert_eq!(with_even_sides(&frame, [1, 3]), [row, row].concat());
        assert_eq!(with_even_sides(&frame[..6], [1, 2]), [&row[..6], &row[..6]].concat());
    }

    #[test]
    fn without_ffmpeg_it_says_what_works() {
        let error = write("no-such-ffmpeg", Path::new("x.mp4"), &frames()).unwrap_err();
        assert!(error.contains("ffmpeg") && error.contains(".gif works"), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn what_ffmpeg_says_is_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("ffmpeg");
        // Another process writes it: what this one has open for writing, no thread of it may start.
        let script = r"printf '#!/bin/sh\necho first >&2\necho no encoder >&2\nexit 1\n' > $0 && chmod +x $0";
        assert!(Command::new("sh").args(["-c", script]).arg(&program).status().unwrap().success());
        let error = write(program.to_str().unwrap(), Path::new("x.mp4"), &frames()).unwrap_err();
        assert!(error.ends_with("failed (no encoder)"), "{error}");
    }
}
