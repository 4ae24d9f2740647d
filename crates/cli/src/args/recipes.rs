//! What the commands of recipes accept.

use std::{convert::Infallible, path::PathBuf};

use clap::ValueEnum;
use entoptic::{
    network::zoo,
    objective::Class,
    recipe::{self, Unit},
};

/// What all recipes accept.
#[derive(clap::Args)]
pub struct RecipeArgs {
    /// A model known by name, or a weights file
    #[arg(short, long, value_name = "NAME|FILE", default_value = zoo::DEFAULT, help_heading = "Models")]
    pub model: String,

    /// Where to write: a folder for all it makes, or a file for one of them
    /// [default: a folder named for the command]
    #[arg(short, long, value_name = "FILE|DIR")]
    pub out: Option<PathBuf>,

    /// How many steps
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true)]
    pub steps: Option<usize>,

    /// Pixels of a side of each image
    #[arg(short, long, value_name = "PX", allow_negative_numbers = true)]
    pub size: Option<usize>,

    /// All chance comes from this number
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,

    /// A preview in seconds: smaller images, fewer steps
    #[arg(long)]
    pub quick: bool,

    /// Go on where the same command was interrupted
    #[arg(long)]
    pub resume: bool,

    /// Images whose way through the network is kept in memory at once; the pictures do not depend on it
    /// [default: as many as fit]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Machine")]
    pub batch: Option<usize>,

    /// Where to compute: cpu, wgpu or cuda, or one of several, such as wgpu:1
    #[arg(long, value_name = "DEVICE", default_value = "cpu", help_heading = "Machine")]
    pub device: String,

    /// In which numbers the network multiplies: f32, or bf16 where the CPU has instructions for it
    #[arg(long, value_name = "NUMBERS", default_value = "f32", help_heading = "Machine")]
    pub precision: String,

    /// Threads to compute with [default: all]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Machine")]
    pub threads: Option<usize>,

    /// Print one JSON object, and nothing else, on stdout
    #[arg(long)]
    pub json: bool,

    /// Print nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

const INTERACTION_GRID_EXAMPLES: &str = "\
Examples:
  entoptic interaction-grid                          units of the embedded model
  entoptic interaction-grid fire8:188 fire8:69 fire8:171 --quick
  entoptic interaction-grid -m googlenet_bvlc inception_4d_output:{493,477,488,486} -o snouts.png";

#[derive(clap::Args)]
#[command(after_help = INTERACTION_GRID_EXAMPLES)]
pub struct InteractionGridArgs {
    /// Two units or more, such as fire8:188 [default: some of the embedded model]
    #[arg(value_name = "UNIT")]
    pub units: Vec<Unit>,

    #[command(flatten)]
    pub recipe: RecipeArgs,
}

const ACTIVATION_GRID_EXAMPLES: &str = "\
Examples:
  entoptic activation-grid photo.jpg --quick         what the embedded model makes of a photo
  entoptic activation-grid photo.jpg --layer fire6   an earlier layer: more positions, smaller things
  entoptic activation-grid photo.jpg --naive         each icon by itself
  entoptic activation-grid photo.jpg -o grid.html    the page alone, to point at positions";

#[derive(clap::Args)]
#[command(after_help = ACTIVATION_GRID_EXAMPLES)]
pub struct ActivationGridArgs {
    /// A photo: PNG, JPEG, WebP or GIF
    pub image: PathBuf,

    /// The layer [default: fire7 of the embedded model]
    #[arg(short, long, value_name = "LAYER")]
    pub layer: Option<String>,

    /// How many groups of like positions share parameters, so that their icons are alike
    #[arg(long, value_name = "N", default_value_t = 6, allow_negative_numbers = true)]
    pub groups: usize,

    /// Icons, drawn anew, that are optimized at each step
    #[arg(long, value_name = "N", default_value_t = 64, allow_negative_numbers = true)]
    pub at_once: usize,

    /// The simple form: every icon by itself, all at each step
    #[arg(long, conflicts_with_all = ["groups", "at_once"])]
    pub naive: bool,

    #[command(flatten)]
    pub recipe: RecipeArgs,
}

const INTERPOLATE_EXAMPLES: &str = "\
Examples:
  entoptic interpolate                               two units of the embedded model
  entoptic interpolate fire8:188 fire8:476 --frames 9
  entoptic interpolate fire8:188 fire8:476 --share nothing -o apart.gif
  entoptic interpolate fire8:188 fire8:476 --align fire3,fire5";

#[derive(clap::Args)]
#[command(after_help = INTERPOLATE_EXAMPLES)]
pub struct InterpolateArgs {
    /// The first unit and the last, such as fire8:188 [default: two of the embedded model]
    #[arg(value_name = "UNIT", num_args = 0..=2)]
    pub units: Vec<Unit>,

    /// How many frames
    #[arg(long, value_name = "N", default_value_t = 6, allow_negative_numbers = true)]
    pub frames: usize,

    /// What the frames share
    #[arg(long, value_name = "WHAT", default_value = "layouts")]
    pub share: Share,

    /// Layers in whose activations neighboring frames are to be alike
    #[arg(long, value_name = "LAYER,LAYER,...", value_delimiter = ',')]
    pub align: Vec<String>,

    /// How much
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.1, allow_negative_numbers = true)]
    pub alignment: f64,

    #[command(flatten)]
    pub recipe: RecipeArgs,
}

/// What the frames of an interpolation share.
#[derive(Clone, Copy, ValueEnum)]
pub enum Share {
    /// Nothing: each frame is an image by itself
    Nothing,
    /// Everything: all frames are the same image
    Everything,
    /// A coarse image, and there is nothing else
    Coarse,
    /// Coarse images of the first and last frame, between which the others blend, and there is nothing else
    CoarseBlend,
    /// Coarse images of several kinds, beside a fine one that each frame has of its own
    Layouts,
}

impl From<Share> for recipe::Shared {
    fn from(share: Share) -> Self {
        match share {
            Share::Nothing => Self::Nothing,
            Share::Everything => Self::Everything,
            Share::Coarse => Self::Coarse,
            Share::CoarseBlend => Self::CoarseBlend,
            Share::Layouts => Self::Layouts,
        }
    }
}

const TRANSPARENT_EXAMPLES: &str = "\
Examples:
  entoptic transparent fire8:188                     one image with alpha, and how it looks on backgrounds
  entoptic transparent fire8:188 --backgrounds       one for each background of Lucid's first experiment
  entoptic transparent fire8:188 --aligned           for those of the second: all at once, with a shared layout
  entoptic transparent --samples                     the random images that backgrounds are drawn from";

#[derive(clap::Args)]
#[command(after_help = TRANSPARENT_EXAMPLES)]
pub struct TransparentArgs {
    /// A unit, such as fire8:188 [default: one of the embedded model]
    pub unit: Option<Unit>,

    /// One image for each of seven backgrounds: adversarial, random and allied ones
    #[arg(long, conflicts_with_all = ["aligned", "samples"])]
    pub backgrounds: bool,

    /// Eight images before as many backgrounds, aligned by sharing this much of their parameters [default: 0.5]
    #[arg(long, value_name = "WEIGHT", num_args = 0..=1, default_missing_value = "0.5", conflicts_with = "samples")]
    pub aligned: Option<f64>,

    /// The random images that backgrounds are drawn from
    #[arg(long)]
    pub samples: bool,

    /// How much of the image is to be opaque, 0 to 1
    #[arg(long, value_name = "PART", default_value_t = 0.25, allow_negative_numbers = true)]
    pub opaque: f64,

    #[command(flatten)]
    pub recipe: RecipeArgs,
}

const CARICATURE_EXAMPLES: &str = "\
Examples:
  entoptic caricature photo.jpg --quick              what layers of the embedded model make of a photo
  entoptic caricature photo.jpg fire5 --cossim 1     closer to the photo: feature inversion";

#[derive(clap::Args)]
#[command(after_help = CARICATURE_EXAMPLES)]
pub struct CaricatureArgs {
    /// A photo: PNG, JPEG, WebP or GIF
    pub image: PathBuf,

    /// Layers, an image for each [default: some of the embedded model]
    #[arg(value_name = "LAYER")]
    pub layers: Vec<String>,

    /// The power of the cosine that the product of activations is multiplied by: more asks for the photo's activations,
    /// less for strong ones
    #[arg(long, value_name = "POWER", default_value_t = 0.0, allow_negative_numbers = true)]
    pub cossim: f64,

    #[command(flatten)]
    pub recipe: RecipeArgs,
}

const STUDY_EXAMPLES: &str = "\
Examples:
  entoptic study fire8:188 --quick                   both ends, diverse images, regularizations compared
  entoptic study fire6:216 --diverse 8";

#[derive(clap::Args)]
#[command(after_help = STUDY_EXAMPLES)]
pub struct StudyArgs {
    /// A unit, such as fire8:188 [default: one of the embedded model]
    pub unit: Option<Unit>,

    /// How many diverse images
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true)]
    pub diverse: usize,

    /// How much they are to differ
    #[arg(long, value_name = "WEIGHT", default_value_t = 100.0, allow_negative_numbers = true)]
    pub diversity: f64,

    #[command(flatten)]
    pub recipe: RecipeArgs,
}

const SPRITEMAP_EXAMPLES: &str = "\
Examples:
  entoptic spritemap fire5 --quick                   all channels of a layer
  entoptic spritemap fire8 --channels 0-63,188       some of them
  entoptic spritemap fire5 --negative -o page.html   what moves them down; the page alone";

#[derive(clap::Args)]
#[command(after_help = SPRITEMAP_EXAMPLES)]
pub struct SpritemapArgs {
    /// The layer [default: fire5 of the embedded model]
    pub layer: Option<String>,

    /// Channels, such as 3,7,20-40 [default: all]
    #[arg(long, value_name = "LIST", value_parser = channels)]
    pub channels: Option<Channels>,

    /// What moves the channels down instead of up
    #[arg(long)]
    pub negative: bool,

    #[command(flatten)]
    pub recipe: RecipeArgs,
}

/// A class's number, or its label.
pub(super) fn class(text: &str) -> Result<Class, Infallible> {
    text.parse()
}

/// Channels of a layer, in order.
#[derive(Clone)]
pub struct Channels(pub Vec<usize>);

/// More channels than any layer has.
const MOST_CHANNELS: usize = 1 << 20;

/// `3,7,20-40`.
fn channels(text: &str) -> Result<Channels, String> {
    let part = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (usize, usize) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        (from <= to && to < MOST_CHANNELS).then_some(from..=to)
    };
    let parts: Option<Vec<_>> = text.split(',').map(part).collect();
    let parts = parts.ok_or_else(|| "channels are numbers and ranges of them, such as 3,7,20-40".to_owned())?;
    let mut channels: Vec<usize> = parts.into_iter().flatten().collect();
    channels.sort_unstable();
    channels.dedup();
    Ok(Channels(channels))
}

const DICTIONARY_EXAMPLES: &str = "\
Examples:
  entoptic dictionary photo.jpg --quick              the strongest channels at each position, to point at
  entoptic dictionary photo.jpg --layer fire6 --top 8";

#[derive(clap::Args)]
#[command(after_help = DICTIONARY_EXAMPLES)]
pub struct DictionaryArgs {
    /// A photo: PNG, JPEG, WebP or GIF
    pub image: PathBuf,

    /// The layer [default: fire8 of the embedded model]
    #[arg(short, long, value_name = "LAYER")]
    pub layer: Option<String>,

    /// How many channels of each position
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true)]
    pub top: usize,

    #[command(flatten)]
    pub recipe: RecipeArgs,
}

const ATTRIBUTE_EXAMPLES: &str = "\
Examples:
  entoptic attribute cat.jpg                         what the likeliest class owes to channels and positions
  entoptic attribute cat.jpg 'tiger cat' 'Egyptian cat'   of each of some classes
  entoptic attribute cat.jpg 'tiger cat' --against 'Egyptian cat'   of one class rather than another
  entoptic attribute cat.jpg --to fire9 --layer fire5     of each position of a later layer";

#[derive(clap::Args)]
#[command(after_help = ATTRIBUTE_EXAMPLES)]
pub struct AttributeArgs {
    /// A photo: PNG, JPEG, WebP or GIF
    pub image: PathBuf,

    /// Classes, by number or label [default: the likeliest]
    #[arg(value_name = "CLASS", value_parser = class)]
    pub classes: Vec<Class>,

    /// A class that the logits of the others are compared with
    #[arg(long, value_name = "CLASS", value_parser = class)]
    pub against: Option<Class>,

    /// The layer [default: fire8 of the embedded model]
    #[arg(short, long, value_name = "LAYER")]
    pub layer: Option<String>,

    /// What each position of this later layer owes to those of the layer, instead
    #[arg(long, value_name = "LAYER", conflicts_with_all = ["classes", "against"])]
    pub to: Option<String>,

    /// How many points of the way from no activations to the photo's the gradient is the mean of
    #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true)]
    pub points: usize,

    /// Take the gradients of max pools for those of smooth ones
    #[arg(long)]
    pub smooth: bool,

    /// How many channels are shown, up and down
    #[arg(long, value_name = "N", default_value_t = 8, allow_negative_numbers = true)]
    pub top: usize,

    #[command(flatten)]
    pub recipe: RecipeArgs,
}

const NEURON_GROUPS_EXAMPLES: &str = "\
Examples:
  entoptic neuron-groups photo.jpg --quick           units that respond together, and where
  entoptic neuron-groups cat.jpg 'tiger cat' 'Egyptian cat' --groups 4";

#[derive(clap::Args)]
#[command(after_help = NEURON_GROUPS_EXAMPLES)]
pub struct NeuronGroupsArgs {
    /// A photo: PNG, JPEG, WebP or GIF
    pub image: PathBuf,

    /// Classes, by number or label, whose logits are attributed to the groups [default: the likeliest]
    #[arg(value_name = "CLASS", value_parser = class)]
    pub classes: Vec<Class>,

    /// The layer [default: fire8 of the embedded model]
    #[arg(short, long, value_name = "LAYER")]
    pub layer: Option<String>,

    /// How many groups
    #[arg(long, value_name = "N", default_value_t = 6, allow_negative_numbers = true)]
    pub groups: usize,

    #[command(flatten)]
    pub recipe: RecipeArgs,
}

const DEEPDREAM_EXAMPLES: &str = "\
Examples:
  entoptic deepdream photo.jpg --quick               whatever excites a layer, more of it
  entoptic deepdream photo.jpg fire8:188 --rate 0.05 dogs everywhere
  entoptic deepdream photo.jpg 'deepdream(fire6)' -s 1024";

#[derive(clap::Args)]
#[command(after_help = DEEPDREAM_EXAMPLES)]
pub struct DeepdreamArgs {
    /// A photo: PNG, JPEG, WebP or GIF
    pub image: PathBuf,

    /// What to see more of, any objective [default: deepdream(fire6) of the embedded model]
    pub objective: Option<String>,

    /// How many sizes the image is optimized at, the smallest first
    #[arg(long, value_name = "N", default_value_t = 6, allow_negative_numbers = true)]
    pub octaves: usize,

    /// How much larger each is than the one before
    #[arg(long, value_name = "X", default_value_t = 1.5, allow_negative_numbers = true)]
    pub scale: f64,

    /// Learning rate; larger ones leave less of the photo
    #[arg(long, value_name = "X", default_value_t = 0.02, allow_negative_numbers = true)]
    pub rate: f64,

    #[command(flatten)]
    pub recipe: RecipeArgs,
}

const STYLE_EXAMPLES: &str = "\
Examples:
  entoptic style photo.jpg painting.jpg --quick
  entoptic style photo.jpg painting.jpg --content 1000 --from-photo";

#[derive(clap::Args)]
#[command(after_help = STYLE_EXAMPLES)]
pub struct StyleArgs {
    /// What is to be on the picture: PNG, JPEG, WebP or GIF
    pub content: PathBuf,

    /// What it is to look like
    pub style: PathBuf,

    /// Layers whose activations are to be the content's [default: fire5 of the embedded model]
    #[arg(long, value_name = "LAYER,LAYER,...", value_delimiter = ',')]
    pub content_layers: Vec<String>,

    /// Layers whose style is to be the style's [default: some of the embedded model]
    #[arg(long, value_name = "LAYER,LAYER,...", value_delimiter = ',')]
    pub style_layers: Vec<String>,

    /// How much the content counts beside the style
    #[arg(
        long = "content",
        value_name = "WEIGHT",
        id = "weight",
        default_value_t = 100.0,
        allow_negative_numbers = true
    )]
    pub weight: f64,

    /// Start at the content instead of noise
    #[arg(long)]
    pub from_photo: bool,

    #[command(flatten)]
    pub recipe: RecipeArgs,
}

const ATLAS_EXAMPLES: &str = "\
Examples:
  entoptic atlas photos --quick                      all that a layer tells apart in a folder of photos
  entoptic atlas photos --layer fire6 --grid 30 --least 5";

#[derive(clap::Args)]
#[command(after_help = ATLAS_EXAMPLES)]
pub struct AtlasArgs {
    /// A folder of photos, with those in its folders
    pub folder: PathBuf,

    /// The layer [default: fire8 of the embedded model]
    #[arg(short, long, value_name = "LAYER")]
    pub layer: Option<String>,

    /// How many cells a side has
    #[arg(long, value_name = "N", default_value_t = 20, allow_negative_numbers = true)]
    pub grid: usize,

    /// How many activations a cell has at least
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true)]
    pub least: usize,

    /// How many activations are laid out at most
    #[arg(long, value_name = "N", default_value_t = 20_000, allow_negative_numbers = true)]
    pub most: usize,

    /// Show what sets a cell apart, not what is active: for very many photos
    #[arg(long)]
    pub whiten: bool,

    /// How many neighbors an activation is to be close to
    #[arg(long, value_name = "N", default_value_t = 20, allow_negative_numbers = true)]
    pub neighbors: usize,

    #[command(flatten)]
    pub recipe: RecipeArgs,
}
