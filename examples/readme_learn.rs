//! The second program of the README. A test keeps the two equal.
//!
//! `cargo run --example readme_learn`

use microdistill::loss::{Soft, SoftLabels};
use microdistill::optimizer::{Sgd, SgdRates};
use microdistill::{Distiller, Prepare};

#[path = "models/watch_small/student.rs"]
mod student;
#[path = "models/watch_small/teacher.rs"]
mod teacher;

fn main() {
    // All the memory that training needs. In a static, it lies in .bss.
    let mut distiller = Distiller::<student::Student, Sgd<_>>::ZERO;
    distiller.student = student::STUDENT;
    let rates = SgdRates { rate: 0.02, momentum: 0.9, weight_decay: 1e-4 };
    let raw = student::GOLDEN[0].raw;
    let mut losses = [0.0; 50];
    for loss in &mut losses {
        let (x, logits) = (student::INPUT.apply(&raw), teacher::predict(&raw));
        *loss = distiller.learn(&x, &SoftLabels::DEFAULT, Soft { teacher: &logits, label: None });
        distiller.update(&rates);
    }
    assert!(losses[49] < losses[0]);
}
