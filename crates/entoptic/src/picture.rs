//! Pictures: reading photos, writing images that say how they were made, and what is done to them in between.
//!
//! Images are `[n, c, h, w]` in `0..=1`: three channels are RGB, four are RGB and alpha, one is gray. Any other number
//! of channels becomes colors through [`collapse_channels`].

mod animation;
mod blend;
mod collapse;
mod description;
mod from_array;
mod grid;
mod heat;
mod labels;
mod load;
mod normalize;
mod resize;
mod save;
mod text;

pub use self::{
    animation::{animate, check_animatable},
    blend::{checkerboard, composite, on_background, on_white, soft_alpha_blend},
    collapse::{collapse, collapse_channels, hue_to_rgb},
    description::{Made, description},
    from_array::{Channels, from_array},
    grid::grid,
    heat::heat_overlay,
    labels::{Labels, labeled_grid},
    load::{About, about, load, load_rgba, load_sized, load_square},
    normalize::{normalize, to_bytes},
    resize::resize,
    save::{SaveConfig, check_writable, save, save_made, save_with, to_jpeg, to_png},
};
pub(crate) use self::{
    heat::colored_overlay,
    load::{embedded_filling, load_filling},
    text::text_width,
};
