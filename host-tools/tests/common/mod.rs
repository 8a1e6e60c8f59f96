//! Models and data for tests. Each test file uses some of them.
#![allow(dead_code)]

pub(crate) mod exported;
pub(crate) mod faulty;

use microdistill_train::dataset::{Columns, Dataset, SeenRows, read, read_like};
use microdistill_train::model::{
    Body, Division, Further, Knots, Machine, Metadata, Model, Preparation, Role, Scaler, Source, Task,
};
use microdistill_train::network::precision::{Bits, Precision};
use microdistill_train::network::{Activation, Network};
use microdistill_train::synthetic::Synthetic;
use microdistill_train::teacher;
use nalgebra::DMatrix;
use rand_core::Rng;
use rand_pcg::Pcg32;

/// Random numbers in ±1.
pub(crate) fn numbers(seed: u64) -> impl FnMut() -> f32 {
    let mut rng = Pcg32::new(seed, 7);
    move || (rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0
}

/// Raw rows for [`model`], shape (inputs × rows).
pub(crate) fn rows(inputs: usize, rows: usize, seed: u64) -> DMatrix<f32> {
    let mut number = numbers(seed);
    DMatrix::from_fn(inputs, rows, |row, _| 10.0 * row as f32 + 3.0 * number())
}

/// A random model.
pub(crate) fn model(widths: &[usize], hidden: Activation, seed: u64) -> Model {
    let (inputs, outputs) = (widths[0], widths[widths.len() - 1]);
    let mut network = Network::random(widths, hidden, &mut Pcg32::new(seed, 5));
    let mut number = numbers(seed);
    for layer in network.layers_mut() {
        layer.bias.iter_mut().for_each(|bias| *bias = 0.5 * number());
    }
    let metadata = Metadata {
        role: Role::Student,
        task: Task::Classification {
            target: "class".into(),
            labels: (0..outputs).map(|label| format!("label {label} \"é\"")).collect(),
        },
        features: (0..inputs).map(|feature| format!("feature_{feature}")).collect(),
        seed: u64::MAX,
        data_hash: "0123456789abcdef".into(),
        missing: vec!["-200".into()],
        seen: SeenRows::default(),
        origin: Vec::new(),
        target_origin: Vec::new(),
        training: Some(teacher::Settings::new(widths.to_vec(), 9, 4)),
        blend: None,
        recipe: None,
        chosen_length: None,
        division: Some(Division { shares: vec![0.6, 0.2, 0.2], seed: 3, groups: Some("person".into()) }),
        groups: None,
        precision: Some(Precision::per_group(Bits::Four)),
        further: vec![
            Further { source: Source::Synthetic(Synthetic::Gaussian), rows: 7 },
            Further { source: Source::Unlabelled("fedcba9876543210".into()), rows: 1 },
        ],
        further_share: Some(0.3),
        command: "microdistill distill\nnot a line of code".into(),
        scores: [("test accuracy".into(), 0.1 + 0.2), ("test nll".into(), 1.0 / 3.0)].into(),
        machine: Some(Machine { arch: "x86_64".into(), threads: 2 }),
    };
    let scaler = Scaler {
        mean: (0..inputs).map(|row| 10.0 * row as f32 + number()).collect(),
        scale: (0..inputs).map(|_| 0.3 + 0.1 * number()).collect(),
    };
    Model { metadata, preparation: scaler.into(), body: Body::F32(network), examples: rows(inputs, 3, seed) }
}

/// A random model of piecewise-linear inputs, whose features take three to any number of values, two, and one.
pub(crate) fn piecewise_linear(widths: &[usize], hidden: Activation, seed: u64) -> Model {
    let mut x = rows(widths[0], 60, seed);
    for (feature, mut row) in x.row_iter_mut().enumerate() {
        match feature % 4 {
            1 => row.iter_mut().for_each(|x| *x = f32::from(*x > 10.0 * feature as f32)),
            2 => row.fill(2.5),
            _ => {}
        }
    }
    let knots = Knots::fit(&x, 5).unwrap();
    let code = knots.encode(&x);
    let of_code = [&[code.nrows()], &widths[1..]].concat();
    let Model { metadata, body, .. } = model(widths, hidden, seed);
    let mut network = Network::random(&of_code, hidden, &mut Pcg32::new(seed, 5));
    if let Body::F32(other) = body {
        for (layer, other) in network.layers_mut().iter_mut().zip(other.layers()) {
            layer.bias.clone_from(&other.bias);
        }
    }
    let network = knots.fold(&network, &Knots::code_scaler(&code));
    Model { metadata, preparation: knots.into(), body: Body::F32(network), examples: x.columns(0, 3).into() }
}

/// The scaler of a [`model`].
pub(crate) fn scaler(model: &mut Model) -> &mut Scaler {
    match &mut model.preparation {
        Preparation::Scaler(scaler) => scaler,
        Preparation::Knots(_) => unreachable!("the model has standardized inputs"),
    }
}

/// The bundled training rows, grouped by person, and the test rows.
pub(crate) fn bundled() -> (Dataset, Dataset) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/watch_small");
    let columns = Columns { groups: Some("person".into()), ..Columns::default() };
    let train = read(format!("{folder}/train.csv"), &columns).unwrap();
    let test = read_like(format!("{folder}/test.csv"), train.expected()).unwrap();
    (train, test)
}
