//! Distillation as on a device: a student with random initial weights learns from a teacher, one window at a time.
//!
//! `cargo run --release --example distill`

use microdistill::loss::{Soft, SoftLabels};
use microdistill::metric::Accuracy;
use microdistill::optimizer::{Sgd, SgdRates};
use microdistill::{Distiller, Mlp, Params, Prepare, Replay};
use rand_pcg::Pcg32;

#[path = "models/watch_small/teacher.rs"]
mod teacher;
#[path = "models/watch_small/test.rs"]
mod test;
#[path = "models/watch_small/train.rs"]
mod train;

type Student = Mlp![30, 16, 7];

const RATES: SgdRates = SgdRates { rate: 0.02, momentum: 0.9, weight_decay: 1e-4 };
const BATCH: usize = 8;

fn main() {
    let mut rng = Pcg32::new(1, 1);
    let mut distiller = Distiller::<Student, Sgd<Student>>::ZERO;
    distiller.student.initialize(&mut rng);
    let mut replay = Replay::<[f32; 30], [f32; 7], 256>::new();
    println!("before: {:.3}", accuracy(&distiller.student));

    for step in 0..2 * train::ROWS.len() {
        // A window arrives. The file is sorted by person, so a stride mixes the people.
        let x = teacher::INPUT.apply(&train::ROWS[step * 211 % train::ROWS.len()]);
        // The teacher runs once per window, and its outputs are stored with the window.
        replay.push(x, teacher::TEACHER.predict(&x));
        for _ in 0..BATCH {
            if let Some((x, logits)) = replay.draw(&mut rng) {
                distiller.learn(x, &SoftLabels::DEFAULT, Soft { teacher: logits, label: None });
            }
        }
        distiller.update(&RATES);
    }
    println!("after:  {:.3}", accuracy(&distiller.student));
}

/// Accuracy of the student on the windows of the test people.
fn accuracy(student: &Student) -> f32 {
    let mut accuracy = Accuracy::default();
    for (raw, &class) in test::ROWS.iter().zip(&test::CLASSES) {
        accuracy.add(&student.predict(&teacher::INPUT.apply(raw)), class.into());
    }
    accuracy.share()
}
