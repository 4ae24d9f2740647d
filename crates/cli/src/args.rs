//! What the command line accepts.

mod recipes;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use entoptic::{network::zoo, objective::Class, param};

pub use self::recipes::{
    ActivationGridArgs, AtlasArgs, AttributeArgs, CaricatureArgs, DeepdreamArgs, DictionaryArgs, InteractionGridArgs,
    InterpolateArgs, NeuronGroupsArgs, RecipeArgs, SpritemapArgs, StudyArgs, StyleArgs, TransparentArgs,
};
use crate::commands::show::Protocol;

/// See what a unit of a vision network responds to
#[derive(Parser)]
#[command(name = "entoptic", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,

    /// Folder with weights files [default: $ENTOPTIC_MODELS, else the platform's data folder]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Models")]
    pub models_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Optimize an image for a unit of a network
    Render(Box<RenderArgs>),
    /// Combine units with each other: a grid of images
    InteractionGrid(InteractionGridArgs),
    /// See what a layer makes of a photo, at each position
    ActivationGrid(ActivationGridArgs),
    /// Go from one unit to another, aligned
    Interpolate(InterpolateArgs),
    /// See a unit without a background: an image with alpha
    Transparent(TransparentArgs),
    /// Exaggerate what layers see in a photo
    Caricature(CaricatureArgs),
    /// See both ends of a unit, diverse examples, and what regularization does
    Study(StudyArgs),
    /// See all units of a layer
    Spritemap(SpritemapArgs),
    /// See which units respond most at each position of a photo
    Dictionary(DictionaryArgs),
    /// See what a class owes to positions and channels
    Attribute(AttributeArgs),
    /// See units that respond together on a photo
    NeuronGroups(NeuronGroupsArgs),
    /// See all that a layer tells apart in many photos
    Atlas(AtlasArgs),
    /// See more and more in a photo
    Deepdream(DeepdreamArgs),
    /// See one picture in the style of another
    Style(StyleArgs),
    /// List the models known by name, and where they were found
    Models(ModelsArgs),
    /// Download models known by name into the models folder
    Pull(PullArgs),
    /// List a model's layers: name, shape, kind
    Layers(LayersArgs),
    /// Say what is in a model's file: what it expects, its graph, what does not work
    Inspect(InspectArgs),
    /// Describe a model's file in a file beside it, to be checked and changed
    Import(ImportArgs),
    /// List the objectives: what can be maximized
    Objectives(CatalogArgs),
    /// List the params: what can be optimized
    Params(CatalogArgs),
    /// List the transforms: what can happen to the image before each step
    Transforms(CatalogArgs),
    /// List the optimizers, and the schedules of their learning rate
    Optimizers(OptimizersArgs),
    /// Say whether a model is right, and what to change
    Doctor(DoctorArgs),
    /// Say what is on a photo: a quick check that a model is right
    Classify(ClassifyArgs),
    /// List the devices to compute on: the processor and GPUs
    Devices(DevicesArgs),
    /// Show pictures and arrays in the terminal
    Show(ShowArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
}

const RENDER_EXAMPLES: &str = "\
Examples:
  entoptic render                                  a unit of the embedded model
  entoptic render fire5:20                         channel 20 of layer fire5
  entoptic render 'neuron(fire8, 17)' -s 192       one neuron, on 192 pixels
  entoptic render 'fire6:3 - 0.5*fire4:10'         one channel without another
  entoptic render fire5:20 --thresholds 32,128,512 snapshots on the way
  entoptic render --transforms 'jitter(9) flip'     other changes before each step
  entoptic render --from picture.png -n 1024       a picture's run again, for longer
  entoptic render fire8:188 --animate dogs.gif     how the picture came about
  entoptic render 'dot_compare(fire5, cossim_pow=1)' --reference cat.png -s 224
                                                   what fire5 makes of a photo: a caricature

`entoptic objectives`, `params`, `transforms` and `optimizers` list what can be asked for.
Ctrl-C ends a run and keeps its image. Steps count from 0, as in Lucid: --steps 512 makes 513 updates.";

#[derive(clap::Args)]
#[command(after_help = RENDER_EXAMPLES)]
pub struct RenderArgs {
    /// What to maximize, such as fire5:20 or 'neuron(fire5, 20)' [default: a unit of the embedded model]
    pub objective: Option<String>,

    /// A model known by name, or a weights file; more of them for objectives with model=NAME
    /// [default: squeezenet_v1_1]
    #[arg(short, long, value_name = "NAME|FILE", help_heading = "Models")]
    pub model: Vec<String>,

    /// Pixels of a side, or HEIGHTxWIDTH [default: 128, or the one size that the network takes]
    #[arg(short, long, value_name = "PX", value_parser = size)]
    pub size: Option<[usize; 2]>,

    /// The last step [default: the last threshold, else 512]
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true)]
    pub steps: Option<usize>,

    /// Keep the image after these steps, too
    #[arg(
        long,
        value_name = "N,N,...",
        allow_negative_numbers = true,
        value_delimiter = ',',
        help_heading = "On the way"
    )]
    pub thresholds: Option<Vec<usize>>,

    /// Keep the image of every so many steps, as pictures or as an animation's frames
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        conflicts_with = "thresholds",
        help_heading = "On the way"
    )]
    pub every: Option<usize>,

    /// Write the images kept on the way as an animation: .gif, .apng or, with ffmpeg, .mp4
    #[arg(long, value_name = "FILE", help_heading = "On the way")]
    pub animate: Option<PathBuf>,

    /// Frames per second of the animation [default: 20]
    #[arg(long, requires = "animate", value_name = "X", allow_negative_numbers = true, help_heading = "On the way")]
    pub fps: Option<f64>,

    /// End the run once the objective reaches this value
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true, help_heading = "On the way")]
    pub stop_at: Option<f64>,

    /// Make so many runs, each from another seed, and keep the one whose image has the highest value [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub attempts: Option<usize>,

    /// Start at this picture instead of noise; the size is then the picture's, up to 512 pixels
    #[arg(long, value_name = "IMAGE", help_heading = "Method")]
    pub init: Option<PathBuf>,

    /// A picture that stands before the optimized images in the batch and stays as it is, for objectives that compare
    /// images, such as 'dot_compare(fire5, batch=1)'; may be given several times
    #[arg(long, value_name = "IMAGE", help_heading = "Method")]
    pub reference: Vec<PathBuf>,

    /// Images to optimize at once, side by side in the picture [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub batch: Option<usize>,

    /// All chance comes from this number [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<u64>,

    /// Where to write the picture, a folder or a .png, .jpg or .webp file; only PNGs say how they were made
    /// [default: a PNG with a name made of the objective]
    #[arg(short, long, value_name = "FILE|DIR")]
    pub out: Option<PathBuf>,

    /// What happens to the image before each step, such as 'pad(12, 0.5) jitter(8) rotate(-10..10)', standard or none
    /// [default: standard]
    #[arg(long, value_name = "CALLS", help_heading = "Method")]
    pub transforms: Option<String>,

    /// What is optimized, such as fourier, 'fourier(1.5)', pixel or 'cppn(layers=4)' [default: fourier]
    #[arg(long, value_name = "CALL", help_heading = "Method")]
    pub param: Option<String>,

    /// What the images' colors are [default: decorrelated]
    #[arg(long, help_heading = "Method")]
    pub colors: Option<Colors>,

    /// Optimize opacity, too; the default transforms then end with collapse_alpha_random, and so should others
    #[arg(long, help_heading = "Method")]
    pub alpha: bool,

    /// How gradients pass ReLUs and max pools, everywhere or at a layer, such as
    /// 'relu=redirected pool=avg fire5/expand1x1=identity'; 'plain' is the derivative [default: relu=redirected]
    #[arg(long, value_name = "TEXT", help_heading = "Method")]
    pub gradients: Option<String>,

    /// Leave the gradients of ReLUs as they are in the first steps
    #[arg(long, help_heading = "Method", conflicts_with = "gradients")]
    pub no_relu_override: bool,

    /// Which way the image moves at each step, such as 'adamw(0.05, weight_decay=0.1)' or lbfgs [default: adam(0.05)]
    #[arg(long, value_name = "CALL", help_heading = "Method")]
    pub optimizer: Option<String>,

    /// How the learning rate changes, such as 'cosine(0.05..0)' or 'linear(0..0.05) until 50 then constant'
    /// [default: constant]
    #[arg(long, value_name = "CALL", help_heading = "Method")]
    pub schedule: Option<String>,

    /// Learning rate of the optimizer [default: the optimizer's, 0.05 for adam]
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "Method")]
    pub lr: Option<f64>,

    /// Repeat the run that made this picture; other options change it
    #[arg(long, value_name = "PNG")]
    pub from: Option<PathBuf>,

    /// Where to compute: cpu, wgpu or cuda, or one of several, such as wgpu:1 [default: cpu]
    #[arg(long, value_name = "DEVICE", help_heading = "Machine")]
    pub device: Option<String>,

    /// In which numbers the network multiplies: f32, or bf16 where the CPU has instructions for it [default: f32]
    #[arg(long, value_name = "NUMBERS", help_heading = "Machine")]
    pub precision: Option<String>,

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

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colors {
    /// Colors that vary independently of each other, as natural images' do
    Decorrelated,
    /// Red, green and blue, each free of the others
    Rgb,
    /// Shades of gray
    Gray,
}

impl From<Colors> for param::Colors {
    fn from(colors: Colors) -> Self {
        match colors {
            Colors::Decorrelated => Self::Decorrelated,
            Colors::Rgb => Self::Rgb,
            Colors::Gray => Self::Gray,
        }
    }
}

#[derive(clap::Args)]
pub struct ModelsArgs {
    /// Only those with these words in their name or in what is said of them
    pub filter: Vec<String>,

    /// Print JSON: [{"name","about","found","path","how_to_get","megabytes","source","licence"}]
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args)]
pub struct PullArgs {
    /// Models known by name, as `entoptic models` lists them
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,

    /// Download again what is there already, and replace it
    #[arg(long)]
    pub force: bool,

    /// Print nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(clap::Args)]
pub struct LayersArgs {
    /// A model known by name, or a weights file
    #[arg(value_name = "MODEL", default_value = zoo::DEFAULT)]
    pub model: String,

    /// Print JSON: [{"name","shape","kind"}]
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args)]
pub struct CatalogArgs {
    /// Print JSON: [{"name","usage","about","example"}]
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args)]
pub struct OptimizersArgs {
    /// Print JSON: {"optimizers","schedules"}, each [{"name","usage","about","example"}]
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args)]
pub struct ClassifyArgs {
    /// A photo: PNG, JPEG, WebP or GIF
    pub image: PathBuf,

    /// A model known by name, or a weights file
    #[arg(short, long, value_name = "NAME|FILE", default_value = zoo::DEFAULT, help_heading = "Models")]
    pub model: String,

    /// Where to compute: cpu, wgpu or cuda, or one of several, such as wgpu:1
    #[arg(long, value_name = "DEVICE", default_value = "cpu", help_heading = "Machine")]
    pub device: String,

    /// Print JSON: [{"index","label","probability"}]
    #[arg(long)]
    pub json: bool,
}

const DOCTOR_NOTES: &str = "\
Examples:
  entoptic doctor                                     the embedded model
  entoptic doctor model.safetensors
  entoptic doctor model.safetensors mouse.jpg --class \"field mouse\"
                                                      a model of other classes than ImageNet's

Photos of a cat, of coffee and of an astronaut are part of the program. The exit code is 1 if something is wrong.";

#[derive(clap::Args)]
#[command(after_help = DOCTOR_NOTES)]
pub struct DoctorArgs {
    /// A model known by name, or a weights file
    #[arg(value_name = "MODEL", default_value = zoo::DEFAULT)]
    pub model: String,

    /// Photos to show to it besides those of the program: PNG, JPEG, WebP or GIF
    #[arg(value_name = "IMAGE")]
    pub photos: Vec<PathBuf>,

    /// What is on these photos: one of the model's classes, by number or label
    #[arg(long, value_name = "CLASS", requires = "photos", value_parser = recipes::class)]
    pub class: Option<Class>,

    /// All chance comes from this number
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,

    /// Where to compute: cpu, wgpu or cuda, or one of several, such as wgpu:1
    #[arg(long, value_name = "DEVICE", default_value = "cpu", help_heading = "Machine")]
    pub device: String,

    /// Threads to compute with [default: all]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Machine")]
    pub threads: Option<usize>,

    /// Print one JSON object, and nothing else, on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args)]
pub struct DevicesArgs {
    /// Print JSON: [{"name","hardware","about","memory"}], memory in bytes or null
    #[arg(long)]
    pub json: bool,
}

const SHOW_NOTES: &str = "\
Arrays are .npy, .npz, .safetensors and .json files of [h, w], [h, w, c] or [n, h, w, c] numbers, or with c before h. \
One channel is gray, three are RGB, four are RGB and alpha; of any other number each channel has its color.

Where there is no terminal, such as in a pipe, each picture's kind and size are printed instead.";

#[derive(clap::Args)]
#[command(after_help = SHOW_NOTES)]
pub struct ShowArgs {
    /// Pictures (PNG, JPEG, WebP, GIF) and arrays
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Columns of the terminal to draw on [default: what the picture needs, if there are as many]
    #[arg(short, long, value_name = "COLUMNS", allow_negative_numbers = true, value_parser = columns)]
    pub width: Option<usize>,

    /// How to draw [default: what the terminal is known to understand; half blocks in doubt]
    #[arg(long = "as", value_name = "PROTOCOL")]
    pub protocol: Option<Protocol>,

    /// Which of an array's numbers are black and white, LOW,HIGH or auto [default: 0,1; of whole numbers 0,255]
    #[arg(long, value_name = "RANGE", allow_negative_numbers = true, value_parser = domain)]
    pub domain: Option<Domain>,

    /// Which axis of an array, after n, has the channels [default: last, unless only the first can be colors]
    #[arg(long)]
    pub channels: Option<Channels>,
}

/// Which of an array's numbers are black and white.
#[derive(Clone, Copy)]
pub enum Domain {
    /// The smallest and the largest.
    Measured,
    /// These.
    Range([f64; 2]),
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Channels {
    /// [c, h, w]
    First,
    /// [h, w, c]
    Last,
}

#[derive(clap::Args)]
pub struct InspectArgs {
    /// The model: a name, or a file
    #[arg(value_name = "NAME|FILE")]
    pub model: String,

    /// Draw the graph in this file, as SVG
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,

    /// List all layers, with what they were trained to have
    #[arg(long)]
    pub layers: bool,

    /// Print all of it as JSON
    #[arg(long)]
    pub json: bool,
}

const IMPORT_EXAMPLES: &str = "\
Examples:
  entoptic import resnet18.onnx                    write resnet18.onnx.toml, with guesses
  entoptic import net.pb --range -1,1              what black and white become
  entoptic import net.pth --labels birds.txt       one label a line

It reads ONNX, PyTorch state dicts, safetensors and frozen TensorFlow graphs. What nobody says is taken from the
file or guessed; guesses are marked. All commands read the file that it writes.";

#[derive(clap::Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub struct ImportArgs {
    /// The model's file
    pub file: PathBuf,

    /// What to call the model [default: the file's name]
    #[arg(long)]
    pub name: Option<String>,

    /// The size of its images, H or HxW
    #[arg(long, value_parser = size)]
    pub size: Option<[usize; 2]>,

    /// What black and white become
    #[arg(long, value_name = "LOW,HIGH", allow_hyphen_values = true, value_parser = numbers::<2>)]
    #[arg(conflicts_with_all = ["mean", "std"])]
    pub range: Option<[f32; 2]>,

    /// What is subtracted of colors in 0..1
    #[arg(long, value_name = "R,G,B", allow_hyphen_values = true, value_parser = numbers::<3>, requires = "std")]
    pub mean: Option<[f32; 3]>,

    /// What they are then divided by
    #[arg(long, value_name = "R,G,B", value_parser = numbers::<3>, requires = "mean")]
    pub std: Option<[f32; 3]>,

    /// It reads blue first
    #[arg(long)]
    pub bgr: bool,

    /// What its classes are called: imagenet, imagenet+background, or a file with one label a line
    #[arg(long, value_name = "LABELS")]
    pub labels: Option<String>,

    /// Write over what describes it already
    #[arg(long)]
    pub force: bool,
}

#[derive(clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// `128`, or `96x160`: height, then width.
fn size(text: &str) -> Result<[usize; 2], String> {
    let side = |text: &str| text.parse().map_err(|_| "a size is pixels, such as 128 or 96x160".to_owned());
    match text.split_once('x') {
        Some((h, w)) => Ok([side(h)?, side(w)?]),
        None => Ok([side(text)?; 2]),
    }
}

/// `-1,1`: so many numbers.
fn numbers<const N: usize>(text: &str) -> Result<[f32; N], String> {
    let numbers: Option<Vec<f32>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    let wrong = || format!("it is {N} numbers with commas, such as {}", ["0", "1", "1"][..N].join(","));
    numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(wrong)
}

/// The most columns a picture is drawn on.
const MOST_COLUMNS: usize = 1000;

fn columns(text: &str) -> Result<usize, String> {
    let columns = text.parse().ok().filter(|columns| (1..=MOST_COLUMNS).contains(columns));
    columns.ok_or_else(|| format!("it is 1 to {MOST_COLUMNS} columns"))
}

/// `auto`, or `-1,1`: the lowest, then the highest.
fn domain(text: &str) -> Result<Domain, String> {
    if text == "auto" {
        return Ok(Domain::Measured);
    }
    let numbers = text.split_once(',').and_then(|(low, high)| Some([low.parse().ok()?, high.parse().ok()?]));
    numbers.map(Domain::Range).ok_or_else(|| "a range is auto, or two numbers, such as -1,1".to_owned())
}
