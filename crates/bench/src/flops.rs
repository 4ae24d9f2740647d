//! How much arithmetic a network is.

use entoptic::network::{Error, Network, graph::Op};

use crate::case::Case;

/// The floating-point operations of a case's network, forward and backward: the multiplications and additions of its
/// convolutions and linear layers, once for the outputs and as many for the gradients of the inputs.
pub fn flops(network: &Network, case: &Case) -> Result<f64, Error> {
    let graph = network.graph();
    let mut products = 0;
    for id in graph.ancestors(&[graph.find(&case.layer)?]) {
        let weight = match &graph.nodes()[id].op {
            Op::Convolution(convolution) => &convolution.weight,
            Op::Linear(linear) => &linear.weight,
            _ => continue,
        };
        let [h, w] = graph.shape_at(id, [case.size; 2])?.positions();
        products += weight.values().len() * h * w;
    }
    Ok(4.0 * (products * case.batch) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_layer_by_hand() {
        // On 33 pixels, a kernel of 3 that moves by 2 has 16 positions a side; it makes 64 channels of 3.
        let case = Case::network("squeezenet_v1_1", "conv1", 33, 5);
        assert_eq!(flops(&case.open().unwrap(), &case).unwrap(), (4 * 5 * 64 * 3 * 3 * 3 * 16 * 16) as f64);
    }

    #[test]
    fn a_depthwise_convolution_reads_one_channel() {
        let flops = |layer| {
            let case = Case::network("mobilenet_v2", layer, 32, 1);
            flops(&case.open().unwrap(), &case).unwrap()
        };
        assert_eq!(flops("block1/depthwise") - flops("stem"), (4 * 32 * 3 * 3 * 16 * 16) as f64);
    }
}
