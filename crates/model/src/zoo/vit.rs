//! Vision transformers: an image is a row of patches, and each looks at all others. DeiT and CLIP's image tower, too.

use super::{
    architecture::{Architecture, Built},
    modules::{Modules, Moves},
};
use crate::{
    Error, Preprocessing,
    graph::{Function, NodeId, Op, Weights},
    load::WeightsFile,
};

/// # Reference
/// [An Image is Worth 16x16 Words](https://arxiv.org/abs/2010.11929), Dosovitskiy et al., 2020;
/// [CLIP](https://arxiv.org/abs/2103.00020), Radford et al., 2021.
pub(super) const ARCHITECTURE: Architecture = Architecture { name: "ViT", recognizes, build };

#[derive(Clone, Copy, PartialEq, Eq)]
enum Library {
    Torchvision,
    Timm,
    /// CLIP as in Hugging Face's transformers.
    HuggingFace,
}

/// What a library calls the modules. Names within a block are behind the block's.
struct Names {
    library: Library,
    /// The convolution that reads patches, and what its output in one column answers to.
    patches: &'static str,
    tokens: [&'static str; 2],
    /// Two tensors.
    class_token: &'static str,
    positions: &'static str,
    /// The sum of tokens and positions.
    embedded: [&'static str; 2],
    /// A norm before the first block, if there is one.
    first_norm: &'static str,
    /// A block's name without its number, and what the last of them answers to.
    block: &'static str,
    blocks: &'static str,
    norms: [&'static str; 2],
    attention: &'static str,
    /// What makes queries, keys and values: one layer or three.
    projections: &'static [&'static str],
    /// What mixes the heads.
    output: &'static str,
    /// Factors of channels, where there are any.
    factors: [&'static str; 2],
    mlp: &'static str,
    /// Expand, activate, project.
    hidden: [&'static str; 3],
    norm: &'static str,
    /// The class token by itself.
    pooled: &'static str,
    /// Classes, or CLIP's embedding.
    head: &'static str,
}

const TORCHVISION: Names = Names {
    library: Library::Torchvision,
    patches: "conv_proj",
    tokens: ["reshape", "permute"],
    class_token: "class_token",
    positions: "encoder.pos_embedding",
    embedded: ["encoder.add", "encoder.dropout"],
    first_norm: "",
    block: "encoder.layers.encoder_layer_",
    blocks: "encoder.layers",
    norms: ["ln_1", "ln_2"],
    attention: "self_attention",
    projections: &["self_attention.in_proj"],
    output: "self_attention.out_proj",
    factors: [""; 2],
    mlp: "mlp",
    hidden: ["mlp.0", "mlp.1", "mlp.3"],
    norm: "encoder.ln",
    pooled: "getitem_5",
    head: "heads.head",
};

const TIMM: Names = Names {
    library: Library::Timm,
    patches: "patch_embed.proj",
    tokens: ["patch_embed.flatten", "patch_embed"],
    class_token: "cls_token",
    positions: "pos_embed",
    embedded: ["add", "pos_drop"],
    first_norm: "norm_pre",
    block: "blocks.",
    blocks: "blocks",
    norms: ["norm1", "norm2"],
    attention: "attn",
    projections: &["attn.qkv"],
    output: "attn.proj",
    factors: ["ls1", "ls2"],
    mlp: "mlp",
    hidden: ["mlp.fc1", "mlp.act", "mlp.fc2"],
    norm: "norm",
    pooled: "fc_norm",
    head: "head",
};

/// Hugging Face's.
const CLIP: Names = Names {
    library: Library::HuggingFace,
    patches: "vision_model.embeddings.patch_embedding",
    tokens: ["vision_model.embeddings.flatten", "vision_model.embeddings.transpose"],
    class_token: "vision_model.embeddings.class_embedding",
    positions: "vision_model.embeddings.position_embedding.weight",
    embedded: ["vision_model.embeddings.add", "vision_model.embeddings"],
    first_norm: "vision_model.pre_layrnorm",
    block: "vision_model.encoder.layers.",
    blocks: "vision_model.encoder.layers",
    norms: ["layer_norm1", "layer_norm2"],
    attention: "self_attn",
    projections: &["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    output: "self_attn.out_proj",
    factors: [""; 2],
    mlp: "mlp",
    hidden: ["mlp.fc1", "mlp.activation_fn", "mlp.fc2"],
    norm: "vision_model.post_layernorm",
    pooled: "vision_model.pooled",
    head: "visual_projection",
};

/// Tensors of timm's other transformers, which compute something else.
const FOREIGN: [&str; 3] = ["dist_token", "reg_token", "fc_norm.weight"];

fn names(file: &WeightsFile) -> Option<Names> {
    [TORCHVISION, TIMM, CLIP].into_iter().find(|names| {
        let first = format!("{}0.", names.block);
        let parts =
            [&names.norms[..], names.projections, &[names.output], &names.factors, &names.hidden, &["mlp.linear"]];
        let is_known =
            |tensor: &str| parts.iter().copied().flatten().any(|part| !part.is_empty() && tensor.starts_with(part));
        let mut of_first = file.names().filter_map(|name| name.strip_prefix(&first)).peekable();
        file.contains(names.class_token)
            && file.contains(names.positions)
            && file.contains(&format!("{}.weight", names.patches))
            && of_first.peek().is_some()
            && of_first.all(is_known)
            && !FOREIGN.iter().any(|tensor| file.contains(tensor))
    })
}

fn recognizes(file: &WeightsFile) -> bool {
    names(file).is_some()
}

/// How many heads a network of this width has, which no tensor says: each has 64 channels, but those of the largest have
/// more. timm, `vision_transformer.py`. Thin ones have three, as the smallest that was published.
fn heads(width: usize) -> usize {
    match width {
        1152 | 1280 | 1408 | 1664 => 16,
        64.. if width.is_multiple_of(64) => width / 64,
        _ => 3,
    }
}

fn build(file: &WeightsFile, preprocessing: Option<Preprocessing>) -> Result<Built, Error> {
    let names = names(file).expect("it was recognized");
    let called = |part: &str| file.stem().contains(part);
    let is_clip = names.library == Library::HuggingFace || (names.library == Library::Timm && called("clip"));
    let preprocessing = preprocessing.unwrap_or(match names.library {
        _ if is_clip => Preprocessing::CLIP,
        // Google's, unlike DeiT and DINO.
        Library::Timm if !called("deit") && !called("dino") => Preprocessing::MINUS_ONE_TO_ONE,
        _ => Preprocessing::IMAGENET,
    });
    let kernel = format!("{}.weight", names.patches);
    let &[width, _, _, patch] = file.shape(&kernel).unwrap_or_default() else {
        return Err(file.take_any::<4>(&kernel).expect_err("it has not four axes"));
    };
    let positions = by_channel(file, names.positions, width)?;
    let patch = patch.max(1); // A kernel of nothing is refused where it is added.
    let side = positions.shape()[1].isqrt() * patch;
    let (m, image) = Modules::new(file, [side, side], preprocessing)?;
    let has_first_norm = file.has_module(names.first_norm);
    let mut transformer = Transformer {
        m,
        heads: heads(width),
        // OpenAI's have a quick approximation of GELU, LAION's the function itself.
        is_quick: names.library == Library::HuggingFace && !called("laion") || called("quickgelu"),
        // A norm before the first block is CLIP's.
        epsilon: if has_first_norm { 1e-5 } else { 1e-6 },
        names,
    };
    let mut x = transformer.add_tokens(image, patch, positions)?;
    if has_first_norm {
        x = transformer.add_norm(transformer.names.first_norm, x)?;
    }
    for i in 0.. {
        let block = format!("{}{i}", transformer.names.block);
        if !file.has_module(&block) {
            break;
        }
        x = transformer.add_block(&block, x)?;
    }
    transformer.m.alias(transformer.names.blocks, x);
    transformer.finish(x)
}

struct Transformer<'a> {
    m: Modules<'a>,
    names: Names,
    heads: usize,
    is_quick: bool,
    /// What norms add to the variance.
    epsilon: f32,
}

impl Transformer<'_> {
    /// Adds one token for each patch and one for the class, and where they are.
    fn add_tokens(&mut self, image: NodeId, patch: usize, positions: Weights) -> Result<NodeId, Error> {
        let Names { patches, tokens, class_token, positions: name, embedded, .. } = self.names;
        let patches = self.m.convolution(patches, image, Moves::valid(patch))?;
        let x = self.m.graph.add(tokens[0], Op::Tokens, &[patches])?;
        self.m.alias(tokens[1], x);
        let [c, of_patches] = [self.m.graph.shape(x).channels(), self.m.graph.shape(x).positions()[0]];
        let class = by_channel(self.m.file, class_token, c)?;
        let class = self.m.graph.add(class_token, Op::Constant(class), &[])?;
        let has_class = positions.shape()[1] != of_patches;
        let positions = self.m.graph.add(name.trim_end_matches(".weight"), Op::Constant(positions), &[])?;
        let cat = parent(embedded[0], "cat");
        let x = match has_class {
            true => {
                let x = self.m.graph.add(&cat, Op::Stack, &[class, x])?;
                self.m.graph.add(embedded[0], Op::Add, &[x, positions])?
            }
            // DeiT III: the class token is nowhere.
            false => {
                let x = self.m.graph.add(embedded[0], Op::Add, &[x, positions])?;
                self.m.graph.add(&cat, Op::Stack, &[class, x])?
            }
        };
        self.m.alias(embedded[1], x);
        Ok(x)
    }

    /// Adds attention and a small network at each token, each of which adds to what it reads.
    fn add_block(&mut self, block: &str, x: NodeId) -> Result<NodeId, Error> {
        let Names { norms, factors, hidden, mlp, .. } = self.names;
        let of = |part: &str| format!("{block}.{part}");
        let y = self.add_norm(&of(norms[0]), x)?;
        let y = self.add_attention(block, y)?;
        let y = self.add_factors(&of(factors[0]), y)?;
        let x = self.m.graph.add(&of("add"), Op::Add, &[x, y])?;

        let y = self.add_norm(&of(norms[1]), x)?;
        // torchvision's older files call them otherwise.
        let [expand, project] = [(hidden[0], "mlp.linear_1"), (hidden[2], "mlp.linear_2")]
            .map(|(now, before)| (now, format!("{}.", if self.m.file.has_module(&of(before)) { before } else { now })));
        let y = self.m.linear_of(&of(expand.0), &of(&expand.1), y)?;
        let y = self.add_activation(&of(hidden[1]), y)?;
        let y = self.m.linear_of(&of(project.0), &of(&project.1), y)?;
        self.m.alias(&of(mlp), y);
        let y = self.add_factors(&of(factors[1]), y)?;
        let x = self.m.graph.add(&of("add_1"), Op::Add, &[x, y])?;
        self.m.alias(block, x);
        Ok(x)
    }

    /// Adds what each token sees of the others.
    ///
    /// # Reference
    /// [Attention Is All You Need](https://arxiv.org/abs/1706.03762), Vaswani et al., 2017.
    fn add_attention(&mut self, block: &str, x: NodeId) -> Result<NodeId, Error> {
        let c = self.m.graph.shape(x).channels();
        let inner = |part: &str| format!("{block}.{}.{part}", self.names.attention);
        let [queries, keys, values] = match *self.names.projections {
            [all] => {
                let name = format!("{block}.{all}");
                let separator = if self.names.library == Library::Torchvision { '_' } else { '.' };
                let all = self.m.linear_of(&name, &format!("{name}{separator}"), x)?;
                let mut select = |part: &str, i: usize| {
                    self.m.graph.add(&inner(part), Op::Select((i * c..(i + 1) * c).collect()), &[all])
                };
                [select("q", 0)?, select("k", 1)?, select("v", 2)?]
            }
            ref each => {
                let mut linear = |i: usize| self.m.linear(&format!("{block}.{}", each[i]), x);
                [linear(0)?, linear(1)?, linear(2)?]
            }
        };
        let scale = 1.0 / ((c / self.heads) as f32).sqrt();
        let scores = Op::Scores { heads: self.heads, scale };
        let scores = self.m.graph.add(&inner("scores"), scores, &[queries, keys])?;
        let attention = self.m.graph.add(&inner("attention"), Op::RowSoftmax, &[scores])?;
        let seen = self.m.graph.add(&inner("attended"), Op::Attend, &[attention, values])?;
        let y = self.m.linear(&format!("{block}.{}", self.names.output), seen)?;
        self.m.alias(&format!("{block}.{}", self.names.attention), y);
        Ok(y)
    }

    fn add_norm(&mut self, name: &str, x: NodeId) -> Result<NodeId, Error> {
        self.m.layer_norm(name, x, self.epsilon)
    }

    fn add_factors(&mut self, name: &str, x: NodeId) -> Result<NodeId, Error> {
        match self.m.file.contains(&format!("{name}.gamma")) {
            true => self.m.scale(name, &format!("{name}.gamma"), x),
            false => Ok(x),
        }
    }

    fn add_activation(&mut self, name: &str, x: NodeId) -> Result<NodeId, Error> {
        if !self.is_quick {
            return self.m.activation(name, Op::Pointwise(Function::Gelu), x);
        }
        // x sigmoid(1.702 x).
        let c = self.m.graph.shape(x).channels();
        let [scale, shift] = [1.702, 0.0].map(|value| Weights::new([c], vec![value; c]));
        let y = self.m.graph.add(&format!("{name}.scaled"), Op::Affine { scale, shift }, &[x])?;
        let y = self.m.graph.add(&format!("{name}.sigmoid"), Op::Pointwise(Function::Sigmoid), &[y])?;
        self.m.graph.add(name, Op::Multiply, &[x, y])
    }

    /// Adds what is made of the class token.
    fn finish(mut self, x: NodeId) -> Result<Built, Error> {
        let Names { library, norm, pooled, head, .. } = self.names;
        // Hugging Face norms that token alone.
        let x = if library == Library::HuggingFace { x } else { self.add_norm(norm, x)? };
        let class = Op::Crop { origin: [0, 0], size: [1, 1] };
        let class = self.m.graph.add(&format!("{pooled}.token"), class, &[x])?;
        let class = self.m.graph.add(pooled, Op::Flatten, &[class])?;
        let class = if library == Library::HuggingFace { self.add_norm(norm, class)? } else { class };
        if let Some((encoder, _)) = norm.rsplit_once('.') {
            self.m.graph.alias(encoder, norm);
        }
        if !self.m.file.has_module(head) {
            return Ok(self.m.finish_without_classes());
        }
        let logits = self.m.linear(head, class)?;
        match library {
            Library::HuggingFace => {
                self.m.alias("image_embeds", logits);
                Ok(self.m.finish_without_classes())
            }
            Library::Torchvision => {
                self.m.alias("heads", logits);
                self.m.finish(logits)
            }
            Library::Timm => self.m.finish(logits),
        }
    }
}

/// The tensor `[..., t, c]` as the constant `[c, t, 1]`: tokens are positions, one below the other.
fn by_channel(file: &WeightsFile, tensor: &str, c: usize) -> Result<Weights, Error> {
    let mut shape = file.shape(tensor).unwrap_or_default().to_vec();
    shape.pop();
    shape.push(c);
    let weights = file.take(tensor, &shape)?;
    let values = weights.values();
    let tokens = values.len() / c.max(1);
    Ok(Weights::new([c, tokens, 1], (0..values.len()).map(|i| values[i % tokens * c + i / tokens]).collect()))
}

/// `name` beside the module `module`.
fn parent(module: &str, name: &str) -> String {
    match module.rsplit_once('.') {
        Some((parent, _)) => format!("{parent}.{name}"),
        None => name.to_owned(),
    }
}
