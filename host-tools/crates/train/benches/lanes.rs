//! Throughput of students, one by one and in lanes, on one thread, in samples per second: forward pass, backward pass and
//! Adam. The lanes of a group count as so many samples.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use microdistill::loss::SoftLabels;
use microdistill_train::hyperparameters::Length;
use microdistill_train::outputs::TeacherOutputs;
use microdistill_train::student::{Lane, Recipe, Samples, Settings, train, train_lanes};
use nalgebra::DMatrix;

fn main() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    if let Ok(one) = one {
        one.install(compare);
    }
}

fn compare() {
    println!(
        "{:>14} {:>5} {:>12} {:>5} {:>12} {:>6}",
        "widths", "loss", "single", "lanes", "in lanes", "ratio"
    );
    let soft = Recipe::SoftLabels(SoftLabels { temperature: 2.0, alpha: 0.9 });
    for (widths, rows) in [([36, 16, 6], 4000), ([216, 16, 6], 2000), ([36, 64, 6], 2000)] {
        let x = DMatrix::from_fn(widths[0], rows, |feature, row| {
            ((feature * 31 + row * 17) % 101) as f32 / 50.0 - 1.0
        });
        let labels: Vec<_> = (0..rows).map(|row| Some(row % 6)).collect();
        let outputs = DMatrix::from_fn(6, rows, |output, row| if output == row % 6 { 3.0 } else { 0.0 });
        let teacher = TeacherOutputs::from(outputs);
        let samples = Samples { x: &x, labels: &labels, teacher: Some(&teacher), weights: None };
        for (name, recipe) in [("hard", Recipe::HardLabels), ("soft", soft)] {
            let epochs = 5;
            let mut settings = Settings::new(widths.to_vec(), recipe, rows, 1);
            settings.training.length = Length::Epochs(epochs);
            let visited = (rows * epochs) as f64;
            let single = best(|| {
                black_box(train(&settings, samples, None, &mut |_| ControlFlow::Continue(())).ok());
            });
            for count in [8, 16] {
                let lanes = vec![Lane::of(&settings); count];
                let lanes = best(|| {
                    black_box(train_lanes(&settings, &lanes, samples, &|| ControlFlow::Continue(())));
                });
                let [single, lanes] = [visited / single, visited * count as f64 / lanes];
                let ratio = lanes / single;
                let widths = format!("{widths:?}");
                println!("{widths:>14} {name:>5} {single:>12.0} {count:>5} {lanes:>12.0} {ratio:>6.1}");
            }
        }
    }
}

/// Seconds of the fastest of several runs.
fn best(run: impl Fn()) -> f64 {
    let seconds = (0..5).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}
