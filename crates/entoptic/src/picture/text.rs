//! Words in pictures.

use burn::tensor::{Device, Tensor, TensorData};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

/// The height of a line of text in pixels.
pub(super) const HEIGHT: usize = RasterHeight::Size16.val();

/// The width of a letter in pixels.
pub(super) const WIDTH: usize = get_raster_width(FontWeight::Regular, RasterHeight::Size16);

/// What stands for a letter that the font lacks.
const UNKNOWN: char = '?';

/// What stands for letters that there is no room for.
const LEFT_OUT: char = '~';

/// How wide a line of text is, in pixels.
pub(crate) fn text_width(text: &str) -> usize {
    text.chars().count() * WIDTH
}

/// A line of dark text on white, cut off after `width` pixels: `[1, 3, HEIGHT, width]`.
pub(super) fn line(text: &str, width: usize, device: &Device) -> Tensor<4> {
    let room = width / WIDTH;
    let letters = text.chars().count();
    let shown: Vec<char> = match letters <= room {
        true => text.chars().collect(),
        false => text.chars().take(room.saturating_sub(1)).chain(room.checked_sub(1).map(|_| LEFT_OUT)).collect(),
    };
    let mut values = vec![1.0f32; HEIGHT * width];
    for (i, letter) in shown.into_iter().enumerate() {
        let raster = |letter| get_raster(letter, FontWeight::Regular, RasterHeight::Size16);
        let raster = raster(letter).or_else(|| raster(UNKNOWN)).expect("the font has a question mark");
        for (y, row) in raster.rows().enumerate() {
            for (x, &ink) in row.iter().enumerate() {
                values[y * width + i * WIDTH + x] = 1.0 - f32::from(ink) / 255.0;
            }
        }
    }
    Tensor::<4>::from_data(TensorData::new(values, [1, 1, HEIGHT, width]), device).repeat_dim(1, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ink(text: &str, width: usize) -> Vec<f32> {
        let line = line(text, width, &Device::flex());
        assert_eq!(line.dims(), [1, 3, HEIGHT, width]);
        // How dark each letter's box is.
        let boxes = line.narrow(1, 0, 1).narrow(3, 0, width / WIDTH * WIDTH);
        let boxes: Tensor<3> = boxes.neg().add_scalar(1.0).reshape([HEIGHT, width / WIDTH, WIDTH]).swap_dims(0, 1);
        boxes.flatten::<2>(1, 2).sum_dim(1).try_into_vec_as().unwrap()
    }

    #[test]
    fn letters_leave_ink_and_spaces_do_not() {
        let ink = ink("i W", 3 * WIDTH + 5);
        assert!(ink[0] > 1.0 && ink[1] == 0.0 && ink[2] > ink[0], "{ink:?}");
    }

    #[test]
    fn what_has_no_room_is_cut_off() {
        assert_eq!(ink("fire8:188", 5 * WIDTH), ink("fire~", 5 * WIDTH));
        assert_eq!(ink("\u{1f600}", WIDTH), ink("?", WIDTH));
    }
}
