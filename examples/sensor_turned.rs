//! nalgebra's matrices over a network's weights: a sensor that is mounted another way round.
//!
//! The network was trained with the sensor upright. Where it is mounted turned, its rotation is multiplied into the weights of
//! the first layer, once, so that no sample needs to be turned back. The product is nalgebra's, on the weights themselves.
//!
//! `cargo run --example sensor_turned --features nalgebra`

use microdistill::view::column;
use microdistill::{Mlp, Network, Params, argmax};
use nalgebra::Matrix3;
use rand_pcg::Pcg32;

/// From the three axes of an accelerometer to four postures. Here its weights are random.
type Student = Mlp![3, 8, 4];

fn main() {
    let mut upright: Student = Network::ZERO;
    upright.initialize(&mut Pcg32::new(1, 1));

    // From the axes of the turned sensor to those of the upright one: a quarter turn about z.
    let rotation = Matrix3::new(0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0);
    let mut turned = upright;
    let first = &mut turned.layers.0;
    // The view is the transpose of the weights W, and W·R is wanted: its transpose is Rᵀ·Wᵀ.
    let product = rotation.tr_mul(&first.weights_view());
    first.weights_view_mut().copy_from(&product);

    for sample in [[0.1, -0.2, 0.97], [0.9, 0.3, -0.1], [-0.5, 0.8, 0.2]] {
        let back: [f32; 3] = (rotation * column(&sample)).into();
        let (expected, found) = (upright.predict(&back), turned.predict(&sample));
        println!("posture {} with {:.3?}", argmax(&found), found);
        // Sums in another order round otherwise.
        assert!(expected.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}
