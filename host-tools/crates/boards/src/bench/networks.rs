//! Reference networks for comparing costs between boards and libraries: typical shapes with random weights.

use microdistill::scalar::Scalar as _;
use nalgebra::DMatrix;
use rand_core::Rng;
use rand_pcg::Pcg32;

use microdistill_train::error::Result;
use microdistill_train::model::{Body, Metadata, Model, Role, Scaler, Task};
use microdistill_train::network::precision::Scales;
use microdistill_train::network::{Activation, Network};
use microdistill_train::quantize::quantize;

/// Names and layer widths of the reference networks.
const SHAPES: [(&str, &[usize]); 3] = [("a", &[10, 32, 10]), ("b", &[64, 32, 10]), ("c", &[128, 64, 64, 12])];

/// Number of random rows that calibrate an int8 network.
const CALIBRATION_ROWS: usize = 64;

const SEED: u64 = 1;

/// Returns each reference network with its name, in f32 and in int8 with a scale per channel. The numbers are the same on
/// every machine.
///
/// # Errors
/// See [`quantize`].
pub fn references() -> Result<Vec<(&'static str, Model)>> {
    let mut models = Vec::new();
    for (name, widths) in SHAPES {
        let (model, rows) = random(widths);
        let int8 = quantize(&model, &rows, Scales::PerChannel)?;
        models.extend([(name, model), (name, int8)]);
    }
    Ok(models)
}

/// A random classifier with these widths, and standardized rows for it.
fn random(widths: &[usize]) -> (Model, DMatrix<f32>) {
    let mut rng = Pcg32::new(SEED, 1);
    let mut network = Network::random(widths, Activation::Relu, &mut rng);
    let mut number = || 2.0 * f32::unit_interval(rng.next_u32()) - 1.0;
    for layer in network.layers_mut() {
        layer.bias.fill_with(&mut number);
    }
    let (inputs, outputs) = (widths[0], widths[widths.len() - 1]);
    // Uniform in ±√3, which has variance 1.
    let rows = DMatrix::from_fn(inputs, CALIBRATION_ROWS, |_, _| 3f32.sqrt() * number());
    let task = Task::Classification {
        target: "class".into(),
        labels: (0..outputs).map(|label| label.to_string()).collect(),
    };
    let features = (0..inputs).map(|feature| feature.to_string()).collect();
    let metadata = Metadata {
        seed: SEED,
        command: "microdistill board bench".into(),
        ..Metadata::new(Role::Student, task, features)
    };
    let scaler = Scaler { mean: vec![0.0; inputs], scale: vec![1.0; inputs] };
    (Model::new(metadata, scaler, Body::F32(network), &rows), rows)
}
