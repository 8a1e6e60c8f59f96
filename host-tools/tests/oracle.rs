//! int8 networks compute the same codes as TensorFlow Lite's reference kernels.

#[path = "../../tests/oracle/cases.rs"]
mod cases;

use cases::{Network, compare_networks};
use microdistill::quant::quantize;
use microdistill_train::network::Activation;
use microdistill_train::network::int8::{DenseI8, NetworkI8};

#[test]
fn oracle_of_networks() {
    compare_networks(|Network { input, x, activation, layers }| {
        let activation: Activation = serde_json::from_value(activation.into()).unwrap();
        let layer = |layer: cases::Layer| DenseI8 {
            weights: layer.parameters.weights,
            group_scales: Vec::new(),
            bias: layer.parameters.bias,
            weight_scales: layer.parameters.weight_scales,
            activation,
            sums: layer.sums,
            output: layer.output,
        };
        let network =
            NetworkI8 { input, table: None, layers: layers.into_iter().map(layer).collect(), values: None };
        // The network takes real values, so each code is given as the value that quantizes to it.
        let x: Vec<f32> = x.iter().flat_map(|&code| input.apply(&[code])).collect();
        let output = network.output();
        network.predict(&x).into_iter().map(|y| quantize(y, output.scale, output.zero)).collect()
    });
}
