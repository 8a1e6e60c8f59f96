//! Piecewise-linear first layers: coordinates of features, and outputs against their definition.

#[path = "common/mod.rs"]
mod common;

use common::numbers;
use microdistill::activation::Identity;
use microdistill::knots::coordinate;
use microdistill::loss::{Soft, SoftLabels};
use microdistill::optimizer::{Sgd, SgdRates};
use microdistill::scalar::Fused;
use microdistill::scaler::{Missing, Strict};
use microdistill::{Distiller, Knots, Layer, Network, Params, PiecewiseLinear, PiecewiseMlp, Prepare};

/// Three features: three knots, one, and the two of a binary feature.
static INPUT: Knots<3, 6> = Knots::new([-1.0, 0.5, 4.0, 7.0, 0.0, 1.0], [0, 3, 4], [1.25, 3.0, 4.5]);

#[test]
fn a_coordinate_is_where_a_value_lies_between_its_knots() {
    let first = |raw| INPUT.apply(&[raw, 0.0, 0.0])[0];
    assert_eq!([-1.0, 0.5, 4.0].map(first), [0.0, 1.0, 2.0], "knots");
    assert_eq!([-0.25, 2.25].map(first), [0.5, 1.5], "between them");
    assert_eq!([-1e30, -2.0, 4.5, f32::MAX].map(first), [0.0, 0.0, 2.0, 2.0], "beyond them");
    assert_eq!([-9.0, 7.0, 9.0].map(|raw| INPUT.apply(&[0.0, raw, 0.0])[1]), [3.0; 3], "a constant feature");
    assert_eq!([0.0, 0.25, 1.0].map(|raw| INPUT.apply(&[0.0, 0.0, raw])[2]), [4.0, 4.25, 5.0]);
}

#[test]
fn a_missing_feature_is_its_mean_or_is_refused() {
    for missing in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(INPUT.apply(&[missing; 3]), INPUT.missing);
        assert_eq!(Strict(&INPUT).apply(&[0.5, missing, 0.0]), Err(Missing { feature: 1 }));
    }
    assert_eq!(Strict(&INPUT).apply(&[0.5, 7.0, 0.0]), Ok([1.0, 3.0, 4.0]));
}

#[test]
fn malformed_constants_give_finite_coordinates() {
    let wild = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3.0, -3.0, f32::MAX, f32::MIN, 0.0];
    let mut number = numbers(1);
    let mut index = |count: usize| ((number() + 1.0) / 2.0 * count as f64) as usize;
    for _ in 0..2000 {
        let knots: [f32; 5] = std::array::from_fn(|_| wild[index(8)]);
        let starts: [u16; 3] = std::array::from_fn(|_| [0, 1, 4, 5, 9, u16::MAX][index(6)]);
        let raw = std::array::from_fn(|_| wild[3 + index(5)]);
        let x = Knots::new(knots, starts, [0.0; 3]).apply(&raw);
        for (x, start) in x.into_iter().zip(starts) {
            let start = f32::from(start);
            assert!((start..=start + 4.0).contains(&x), "{knots:?} {starts:?}: {x}");
        }
    }
    assert_eq!(coordinate(1.0, 7, &[]), 7.0);
    assert_eq!(coordinate(0.0, 0, &[f32::MIN, f32::MAX]), 0.0, "a piece wider than the type's range");
}

/// The definition, in f64: bias, and of each input the line between two rows.
fn by_the_book<const R: usize, const O: usize>(table: &[[f64; O]; R], bias: [f64; O], x: &[f64]) -> Vec<f64> {
    let value = |output: usize, x: f64| {
        let x = x.clamp(0.0, (R - 1) as f64);
        let row = (x as usize).min(R - 2);
        table[row][output] + (table[row + 1][output] - table[row][output]) * (x - row as f64)
    };
    (0..O).map(|output| bias[output] + x.iter().map(|&x| value(output, x)).sum::<f64>()).collect()
}

#[test]
fn outputs_are_sums_of_interpolated_rows() {
    fn check<T: microdistill::kernel::Kernels>() {
        let mut number = numbers(5);
        for sample in 0..300 {
            let table: [[f64; 7]; 9] = std::array::from_fn(|_| std::array::from_fn(|_| number()));
            let bias: [f64; 7] = std::array::from_fn(|_| number());
            // Also at rows, and outside the table.
            let x: [f64; 4] = std::array::from_fn(|_| {
                let x = 6.0 * number() + 4.0;
                if sample % 3 == 0 { x.round() } else { x }
            });
            let number = |number: f64| T::from_f32(number as f32);
            let layer: PiecewiseLinear<4, 9, 7, Identity, T> =
                PiecewiseLinear::new(table.map(|row| row.map(number)), bias.map(number));
            let network = Network::<_, 11>::new(layer);
            let y = network.predict(&x.map(number));
            for (y, expected) in y.into_iter().zip(by_the_book(&table, bias, &x)) {
                assert!((f64::from(y.to_f32()) - expected).abs() < 1e-5, "{y:?} {expected}");
            }
        }
    }
    check::<f32>();
    check::<f64>();
    check::<Fused>();
}

#[test]
fn coordinates_outside_the_table_are_cut() {
    let layer = PiecewiseLinear::<1, 3, 2, Identity>::new([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0.5, 0.5]);
    let network = Network::<_, 3>::new(layer);
    for (x, y) in [
        (-7.0, [1.5, 2.5]),
        (f32::NEG_INFINITY, [1.5, 2.5]),
        (f32::NAN, [1.5, 2.5]),
        (2.0, [5.5, 6.5]),
        (7.0, [5.5, 6.5]),
        (f32::MAX, [5.5, 6.5]),
        (f32::INFINITY, [5.5, 6.5]),
    ] {
        assert_eq!(network.predict(&[x]), y, "{x}");
    }
}

#[test]
fn a_student_learns_what_no_line_fits() {
    type Student = PiecewiseMlp![5; 1, 2];
    const KNOTS: Knots<1, 5> = Knots::new([-2.0, -1.0, 0.0, 1.0, 2.0], [0], [2.0]);
    let mut distiller = Distiller::<Student, Sgd<Student>>::ZERO;
    let rates = SgdRates { rate: 0.5, momentum: 0.9, weight_decay: 0.0 };
    let rows = [-2.0f32, -1.0, 0.0, 1.0, 2.0].map(|raw| (raw, [raw.abs() - 1.0, 1.0 - raw.abs()]));
    for _ in 0..300 {
        for (raw, teacher) in &rows {
            let target = Soft { teacher, label: None };
            distiller.learn(&KNOTS.apply(&[*raw]), &SoftLabels::DEFAULT, target);
        }
        distiller.update(&rates);
    }
    for (raw, teacher) in rows {
        let [a, b] = distiller.student.predict(&KNOTS.apply(&[raw]));
        assert!((a - b - (teacher[0] - teacher[1])).abs() < 0.05, "{raw}: {a} {b}");
    }
}

#[test]
fn fingerprints_tell_tables_apart() {
    let all = [
        <PiecewiseMlp![6; 3, 4, 2]>::FINGERPRINT,
        <PiecewiseMlp![7; 3, 4, 2]>::FINGERPRINT,
        <PiecewiseMlp![6; 2, 4, 2]>::FINGERPRINT,
        <PiecewiseMlp![6; 3, 5, 2]>::FINGERPRINT,
        <PiecewiseMlp![6; 3, 4, 2; Identity]>::FINGERPRINT,
        <microdistill::Mlp![3, 4, 2]>::FINGERPRINT,
    ];
    assert_eq!(std::collections::BTreeSet::from(all).len(), all.len());
    assert_eq!(<PiecewiseMlp![6; 3, 4, 2]>::COUNT, 6 * 4 + 4 + 4 * 2 + 2);
    assert_eq!(<PiecewiseMlp![6; 3, 4, 2] as Layer>::SCRATCH, 7);
}
