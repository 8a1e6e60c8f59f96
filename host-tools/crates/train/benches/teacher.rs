//! Throughput of the batched trainer on one thread, in samples per second: shuffle, forward pass, backward pass and
//! Adam.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use microdistill::optimizer::AdamRates;
use microdistill_train::class_weights::ClassWeights;
use microdistill_train::hyperparameters::Length;
use microdistill_train::network::Activation;
use microdistill_train::teacher::{Examples, Settings, Target, train};
use nalgebra::DMatrix;

fn main() {
    println!("{:>20} {:>6} {:>12}", "widths", "batch", "samples/s");
    for (widths, batch, rows) in [
        (vec![10, 64, 10], 32, 100_000),
        (vec![64, 256, 256, 10], 64, 20_000),
        (vec![784, 512, 256, 10], 128, 5_000),
    ] {
        let x = DMatrix::from_fn(widths[0], rows, |feature, row| {
            ((feature * 31 + row * 17) % 101) as f32 / 50.0 - 1.0
        });
        let classes: Vec<usize> = (0..rows).map(|row| row % 10).collect();
        let epochs = 3;
        let settings = Settings {
            widths,
            activation: Activation::Relu,
            dropout: 0.0,
            rates: AdamRates::DEFAULT,
            batch,
            length: Length::Epochs(epochs),
            patience: None,
            class_weights: ClassWeights::None,
            seed: 1,
        };
        let examples = Examples { x: &x, target: Target::Classes(&classes) };
        let best = (0..5)
            .map(|_| {
                let start = Instant::now();
                black_box(train(&settings, examples, None, &mut |_| ControlFlow::Continue(())).ok());
                (rows * epochs) as f64 / start.elapsed().as_secs_f64()
            })
            .fold(0.0, f64::max);
        println!("{:>20} {batch:>6} {best:>12.0}", format!("{:?}", settings.widths));
    }
}
