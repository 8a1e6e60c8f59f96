//! Tests of batched training.

use std::ops::ControlFlow;

use microdistill::optimizer::AdamRates;
use nalgebra::DMatrix;
use rand_pcg::Pcg32;

use super::Settings;
use super::fit::{fit_ensemble, fit_like};
use super::train::{Epoch, Examples, Target, losses, train};
use crate::class_weights::ClassWeights;
use crate::dataset::Task;
use crate::dataset::{self, Dataset};
use crate::hyperparameters::Length;
use crate::network::batched::{Batched, Mode, gradients, tensors};
use crate::network::{Activation, Network};
use crate::progress::Progress;
use rand_core::Rng;

fn inputs(rows: usize, features: usize) -> DMatrix<f64> {
    let mut rng = Pcg32::new(1, 2);
    DMatrix::from_fn(features, rows, |_, _| rng.next_u32() as f64 / f64::from(u32::MAX) * 2.0 - 1.0)
}

/// Largest error of the gradient in any parameter, against central differences of the summed loss in f64.
fn gradient_error(widths: &[usize], hidden: Activation, target: Target<'_, f64>) -> f64 {
    let n = 5;
    let mut batched = Batched::<f64>::zero(widths, hidden, 0.0, n + 1);
    let mut rng = Pcg32::new(3, 4);
    for (_, values) in tensors(&mut batched.layers) {
        microdistill::initialize(values, 2 * widths[0], &mut rng);
    }
    let x = inputs(n + 1, widths[0]);
    let mut work = vec![0.0; widths[widths.len() - 1]];
    let loss = |batched: &mut Batched<f64>| {
        batched.forward(&x, n, Mode::<Pcg32>::Inference);
        let loss = losses(batched, target, None, 0..n, &mut work);
        batched.backward(&x, n);
        loss
    };
    gradients::error(&mut batched, loss, |batched| batched)
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let (values, more) = (inputs(6, 2), inputs(6, 3));
    use Activation::{LeakyRelu, Relu, Relu6, Sigmoid, Tanh};
    for hidden in [Tanh, Relu, Relu6, LeakyRelu, Sigmoid] {
        let classes = Target::Classes(&[0, 2, 1, 2, 0, 1]);
        assert!(gradient_error(&[4, 7, 5, 3], hidden, classes) < 1e-7, "{hidden:?}, classes");
        assert!(gradient_error(&[4, 6, 2], hidden, Target::Values(&values)) < 1e-7, "{hidden:?}, values");
        let three = Target::Values(&more);
        assert!(gradient_error(&[4, 5, 3], hidden, three) < 1e-7, "{hidden:?}, three values");
    }
}

fn settings(widths: &[usize]) -> Settings {
    Settings {
        widths: widths.to_vec(),
        activation: Activation::Relu,
        dropout: 0.0,
        rates: AdamRates { rate: 0.01, ..AdamRates::DEFAULT },
        batch: 7,
        length: Length::Epochs(200),
        patience: None,
        class_weights: ClassWeights::None,
        seed: 1,
    }
}

/// Rows labelled by whether two numbers have the same sign, which no linear model can learn.
fn xor(rows: usize) -> (DMatrix<f32>, Vec<usize>) {
    let x = inputs(rows, 2).map(|x| x as f32);
    let classes = x.column_iter().map(|x| usize::from(x[0] * x[1] > 0.0)).collect();
    (x, classes)
}

fn accuracy(network: &Network, x: &DMatrix<f32>, classes: &[usize]) -> f64 {
    let right = |(x, &class): (nalgebra::DVectorView<'_, f32>, &usize)| {
        microdistill::argmax(&network.predict(x.as_slice())) == class
    };
    let right = x.column_iter().zip(classes).filter(|(x, class)| right((x.as_view(), *class))).count();
    right as f64 / classes.len() as f64
}

#[test]
fn learns_what_a_linear_model_cannot() {
    let (x, classes) = xor(200);
    let examples = Examples { x: &x, target: Target::Classes(&classes) };
    for dropout in [0.0, 0.1] {
        let settings = Settings { dropout, ..settings(&[2, 16, 16, 2]) };
        let trained = train(&settings, examples, None, &mut |_| ControlFlow::Continue(())).unwrap();
        let accuracy = accuracy(&trained.network, &x, &classes);
        assert!(accuracy > 0.95, "dropout {dropout}: accuracy {accuracy}");
        assert_eq!((trained.epoch, trained.history.len()), (200, 200));
    }
}

#[test]
fn repeats_by_its_seed() {
    let (x, classes) = xor(50);
    let examples = Examples { x: &x, target: Target::Classes(&classes) };
    let run = |seed| {
        let settings = Settings { seed, dropout: 0.2, length: Length::Epochs(5), ..settings(&[2, 8, 2]) };
        train(&settings, examples, None, &mut |_| ControlFlow::Continue(())).unwrap()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).network, run(2).network);
}

#[test]
fn keeps_the_best_epoch_and_stops_when_patience_ends() {
    let (x, classes) = xor(40);
    let wrong: Vec<usize> = classes.iter().map(|class| 1 - class).collect();
    let settings = Settings { patience: Some(3), ..settings(&[2, 8, 2]) };
    let training = Examples { x: &x, target: Target::Classes(&classes) };
    let validation = Examples { x: &x, target: Target::Classes(&wrong) };
    let trained = train(&settings, training, Some(validation), &mut |_| ControlFlow::Continue(())).unwrap();
    let losses: Vec<f64> = trained.history.iter().filter_map(|epoch| epoch.validation).collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(losses[trained.epoch - 1], best);
    assert_eq!(losses.len(), trained.epoch + 3, "stops after three more epochs without a better one");
}

#[test]
fn an_interrupted_training_keeps_what_it_has() {
    let (x, classes) = xor(40);
    let examples = Examples { x: &x, target: Target::Classes(&classes) };
    let mut stop =
        |epoch: Epoch| if epoch.number == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let trained = train(&settings(&[2, 8, 2]), examples, None, &mut stop).unwrap();
    assert_eq!(trained.epoch, 3);
}

#[test]
fn a_rate_too_high_is_an_error() {
    let (x, _) = xor(40);
    let values = x.map(|x| x * 1e30);
    let rates = AdamRates { rate: 1e30, ..AdamRates::DEFAULT };
    let settings = Settings { rates, ..settings(&[2, 8, 2]) };
    let examples = Examples { x: &x, target: Target::Values(&values) };
    let error = train(&settings, examples, None, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(error.to_string().contains("lower the rate"), "{error}");
}

#[test]
fn data_that_do_not_fit_are_an_error() {
    let (x, classes) = xor(10);
    let target = Target::Classes(&classes);
    let error = |settings: Settings, target| {
        let examples = Examples { x: &x, target };
        train(&settings, examples, None, &mut |_| ControlFlow::Continue(())).unwrap_err().to_string()
    };
    assert_eq!(
        error(settings(&[3, 2]), target),
        "the data has 2 features, but the network has 3 inputs: change its first width"
    );
    assert_eq!(
        error(settings(&[2, 1]), target),
        "a label is not among the network's 1 classes: give it one output per class"
    );
    assert_eq!(
        error(settings(&[2, 2]), Target::Classes(&[0])),
        "found 1 labels for 10 rows: give one label per row"
    );
    assert_eq!(
        error(Settings { batch: 0, ..settings(&[2, 2]) }, target),
        "batch, epochs and steps must be at least 1"
    );
}

#[test]
fn a_teacher_like_another_is_the_same_on_the_same_rows() {
    let (x, classes) = xor(60);
    let data = Dataset {
        features: vec!["a".into(), "b".into()],
        task: Task::Classification { target: "y".into(), labels: vec!["0".into(), "1".into()] },
        target: dataset::Target::Classes(classes),
        groups: None,
        hash: String::new(),
        origin: Vec::new(),
        target_origin: Vec::new(),
        left_out: Vec::new(),
        keys: None,
        options: crate::table::Options::default(),
        notes: Vec::new(),
        x,
    };
    let flow = &|_: Progress<'_, Epoch>| ControlFlow::Continue(());
    let settings = Settings { dropout: 0.1, length: Length::Epochs(5), ..settings(&[2, 8, 2]) };
    let teacher = fit_ensemble(&data, None, &settings, 3, flow).unwrap();
    let on = &|| ControlFlow::Continue(());
    assert_eq!(fit_like(&teacher, &data, on).unwrap(), teacher);
    // With a validation set.
    let settings = Settings { patience: Some(2), length: Length::Epochs(300), ..settings };
    let stopped = fit_ensemble(&data, Some(&data), &settings, 2, flow).unwrap();
    let like = fit_like(&stopped, &data, on).unwrap();
    assert_eq!((like.parameters(), like.kind()), (stopped.parameters(), "ensemble"));
    // On fewer rows it takes as many steps.
    let settings = Settings { length: Length::Steps(90), patience: None, ..settings };
    let longer = fit_ensemble(&data, None, &settings, 1, flow).unwrap();
    let half: Vec<usize> = (0..30).collect();
    let steps = std::sync::Mutex::new(0);
    let count = || {
        *steps.lock().unwrap() += 30usize.div_ceil(settings.batch);
        ControlFlow::Continue(())
    };
    fit_like(&longer, &data.select(&half), &count).unwrap();
    assert_eq!(*steps.lock().unwrap(), 90);
    let mut unknown = teacher;
    unknown.metadata.training = None;
    assert!(fit_like(&unknown, &data, on).is_err());
}
