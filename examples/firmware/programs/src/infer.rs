//! Inference: runs the self-test and then every row of the test data.

use microdistill::golden::{Mismatch, Stage};
use microdistill::metric::Accuracy;

use crate::Outcome;
use crate::data::{fitting, model, test};
use crate::edge::take;
use crate::output::println;

/// Runs the model's self-test and then every test row. Prints the bits of the outputs and, if there are labels, the number of
/// correct predictions.
///
/// ```text
/// self-test: passed
/// row 0: [1070372265, …]
/// accuracy: 309 of 364
/// ```
///
/// Fails if the board computes other bits than the desktop that exported the model.
pub fn infer() -> Outcome {
    if let Err(Mismatch { vector, stage }) = model::self_test() {
        let stage = match stage {
            Stage::Input => "input",
            Stage::Output => "output",
        };
        println!("self-test: vector {} differs in its {}", vector, stage);
        return Outcome::Failed;
    }
    println!("self-test: passed");

    let Some(rows) = fitting(&test::ROWS) else { return Outcome::Failed };
    let mut accuracy = Accuracy::default();
    for (index, row) in rows.iter().enumerate() {
        let Some(input) = take(&model::INPUT, row, test::CODES) else { return Outcome::Failed };
        let outputs = model::decode(&model::run(&input));
        println!("row {}: {:?}", index, outputs.map(f32::to_bits));
        if let Some(&class) = test::CLASSES.get(index) {
            accuracy.add(&outputs, class.into());
        }
    }
    if accuracy.total > 0 {
        println!("accuracy: {} of {}", accuracy.correct, accuracy.total);
    }
    Outcome::Passed
}
