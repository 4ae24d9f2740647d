//! An objective of your own: whatever excites a layer, it excites more (DeepDream).

use entoptic::{Error, RenderConfig, network::zoo, objective::custom, param, picture, render};

fn main() -> Result<(), Error> {
    let deepdream = custom("deepdream", ["fire5"], |step| {
        let a = step.map("fire5")?; // [n, c, h, w]
        Ok((a.clone() * a).mean())
    });
    let config = RenderConfig::new().with_steps(128);
    let render = render(&zoo::squeezenet_v1_1(), &deepdream, param::image([192, 192]), &config)?;
    picture::save("own_objective.png".as_ref(), render.images().expect("the run went well"), None)
}
