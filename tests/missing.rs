//! Missing features: f32 and int8 students follow the training mean, as the exported files say.

#[path = "../examples/models/watch_small/model.rs"]
mod int8;
#[path = "../examples/models/watch_small/student.rs"]
mod student;
#[path = "../examples/models/watch_small/teacher.rs"]
mod teacher;
#[path = "../examples/models/watch_small/test.rs"]
mod test;

use microdistill::golden::{Mismatch, Stage, self_test_with};
use microdistill::loss::CrossEntropy;
use microdistill::optimizer::{Sgd, SgdRates};
use microdistill::scaler::{Missing, Strict};
use microdistill::{Distiller, Prepare as _, argmax};

const NOT_FINITE: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];

#[test]
fn both_students_take_the_mean() {
    let (mut disagree, mut disagree_at_mean) = (0, 0);
    for (index, row) in test::ROWS.iter().enumerate() {
        let feature = index % row.len();
        let mut mean = *row;
        mean[feature] = student::INPUT.mean[feature];
        let at_mean = [student::predict(&mean), int8::predict(&mean)];
        for value in NOT_FINITE {
            let mut missing = *row;
            missing[feature] = value;
            assert_eq!([student::predict(&missing), int8::predict(&missing)], at_mean, "row {index}");
            assert_eq!(teacher::predict(&missing), teacher::predict(&mean), "row {index}");
        }
        let [f32, int8] = at_mean.map(|logits| argmax(&logits));
        disagree_at_mean += usize::from(f32 != int8);
        let [f32, int8] = [student::predict(row), int8::predict(row)].map(|logits| argmax(&logits));
        disagree += usize::from(f32 != int8);
    }
    // They differ where they differ without a missing feature, too: in rounding.
    assert!(disagree <= 10 && disagree_at_mean <= 10, "{disagree} and {disagree_at_mean} of 364 rows");
}

#[test]
fn the_self_test_covers_missing_features() {
    let (f32, int8) = (&student::MISSING, &int8::MISSING);
    assert!(f32.raw.iter().chain(&int8.raw).all(|x| x.is_nan()));
    assert_eq!(f32.output, student::STUDENT.predict(&[0.0; 30]));
    assert_eq!(int8.input, [int8::INPUT.zero; 30]);
    // A scaler that lets a NaN through is found.
    let mut wrong = student::MISSING;
    wrong.input[3] = f32::NAN;
    let found = self_test_with(&student::INPUT, &student::STUDENT, &student::GOLDEN, &wrong);
    assert_eq!(found, Err(Mismatch { vector: 4, stage: Stage::Input }));
    student::self_test().unwrap();
    int8::self_test().unwrap();
}

#[test]
fn strict_inputs_name_the_feature() {
    let mut row = test::ROWS[0];
    assert_eq!(Strict(&student::INPUT).apply(&row), Ok(student::INPUT.apply(&row)));
    assert_eq!(Strict(&int8::INPUT).apply(&row), Ok(int8::INPUT.apply(&row)));
    row[7] = f32::INFINITY;
    row[9] = f32::NAN;
    assert_eq!(Strict(&student::INPUT).apply(&row), Err(Missing { feature: 7 }));
    assert_eq!(Strict(&int8::INPUT).apply(&row), Err(Missing { feature: 7 }));
}

/// Learning takes what the scaler gives, so a missing feature cannot spoil the weights.
#[test]
fn learning_follows_the_rule() {
    let learned = |value: f32| {
        let mut distiller = Distiller::<student::Student, Sgd<_>>::ZERO;
        distiller.student = student::STUDENT;
        let mut row = test::ROWS[3];
        row[7] = value;
        let loss = distiller.learn(&student::INPUT.apply(&row), &CrossEntropy, 2);
        distiller.update(&SgdRates { rate: 0.1, momentum: 0.0, weight_decay: 0.0 });
        (loss.to_bits(), distiller.student.predict(&student::INPUT.apply(&test::ROWS[4])).map(f32::to_bits))
    };
    let expected = learned(student::INPUT.mean[7]);
    for value in NOT_FINITE {
        assert_eq!(learned(value), expected);
    }
}
