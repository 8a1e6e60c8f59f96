use std::ops::ControlFlow;

use microdistill::loss::{
    DecoupledSoftLabels, Loss, SmoothedCrossEntropy, Soft, SoftCrossEntropy, SoftLabels,
};
use microdistill::optimizer::AdamRates;
use microdistill::{argmax, loss};
use nalgebra::DMatrix;
use rand_core::Rng;
use rand_pcg::Pcg32;

use super::hint::hidden_layers;
use super::recipe::{Mixed, Objective, Recipe, SampleTarget};
use super::samples::Samples;
use super::train::train_watched;
use super::{Annealing, Blend, Curve, Epoch, Settings, Trained, train};
use crate::error::Result;
use crate::hyperparameters::Hyperparameters;
use crate::network::{Activation, Network};
use crate::outputs::TeacherOutputs;

const SOFT: Recipe = Recipe::SoftLabels(SoftLabels { temperature: 2.0, alpha: 0.75 });

/// Random rows without a rule, so that they can only be memorized.
struct RandomRows {
    x: DMatrix<f32>,
    labels: Vec<Option<usize>>,
    teacher: TeacherOutputs,
}

const CLASSES: usize = 4;

fn rows(count: usize, seed: u64) -> RandomRows {
    let mut rng = Pcg32::new(seed, 5);
    let mut number = || (rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0;
    let x = DMatrix::from_fn(6, count, |_, _| 2.0 * number());
    let teacher = DMatrix::from_fn(CLASSES, count, |_, _| 3.0 * number());
    let labels = (0..count).map(|_| Some((2.0 + 2.0 * number()) as usize % CLASSES)).collect();
    RandomRows { x, labels, teacher: teacher.into() }
}

impl RandomRows {
    fn samples(&self) -> Samples<'_> {
        Samples { x: &self.x, labels: &self.labels, teacher: Some(&self.teacher), weights: None }
    }
}

/// `settings` with other hyperparameters.
fn with(mut settings: Settings, change: impl FnOnce(&mut Hyperparameters)) -> Settings {
    change(&mut settings.training);
    settings
}

fn settings(recipe: Recipe) -> Settings {
    let mut settings = Settings::new(vec![6, 24, CLASSES], recipe, 24, 3);
    settings.training.batch = 5;
    settings
}

fn history(
    settings: &Settings,
    samples: Samples<'_>,
    validation: Option<Samples<'_>>,
) -> Result<(Trained, Vec<Epoch>)> {
    let mut history = Vec::new();
    let trained = train(settings, samples, validation, &mut |epoch| {
        history.push(epoch);
        ControlFlow::Continue(())
    })?;
    Ok((trained, history))
}

fn trained(settings: &Settings, samples: Samples<'_>) -> Trained {
    history(settings, samples, None).unwrap().0
}

#[test]
fn teacher_outputs_and_labels_stay_beside_their_rows_when_these_are_shuffled() {
    let rows = rows(24, 1);
    let share = |recipe: Recipe, blend, expected: &dyn Fn(usize) -> usize| {
        let mut settings = Settings { blend, ..settings(recipe) };
        settings.training.rates.weight_decay = 0.0;
        let network = trained(&settings, rows.samples()).network;
        let right = |&row: &usize| argmax(&network.predict(rows.x.column(row).as_slice())) == expected(row);
        (0..24).filter(right).count()
    };
    let teacher_outputs = rows.teacher.logits(1.0);
    let taught = |row: usize| argmax(teacher_outputs.column(row).as_slice());
    let soft = Recipe::SoftLabels(SoftLabels { temperature: 2.0, alpha: 1.0 });
    for recipe in [soft, Recipe::OutputMse, Recipe::LogitMse] {
        for blend in [None, Some(Blend { own: 16, share: 0.4 })] {
            let right = share(recipe, blend, &taught);
            assert!(right >= 20, "{recipe:?}, {blend:?}: {right} of 24");
        }
    }
    // Chance is a quarter.
    assert!(share(Recipe::HardLabels, None, &|row| rows.labels[row].unwrap()) >= 20);
}

/// Loss and gradient.
fn gradient<L: Loss<f32>>(loss: &L, z: &[f32], target: L::Target<'_>) -> (f32, Vec<f32>) {
    let (mut dz, mut work) = (vec![f32::NAN; z.len()], vec![f32::NAN; z.len()]);
    (loss.gradient(z, target, &mut dz, &mut work), dz)
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32]) {
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{found} for {expected}");
    }
}

const Z: [f32; CLASSES] = [0.5, -1.0, 2.0, 0.25];
const V: [f32; CLASSES] = [1.5, 0.0, -0.5, 1.0];

fn target(label: usize) -> SampleTarget<'static> {
    SampleTarget { teacher: &V, label: Some(label), weight: None }
}

#[test]
fn smoothing_spreads_the_label_alone_or_beside_a_teacher() {
    let smoothing = 0.3;
    let (hard, hard_dz) = gradient(&SmoothedCrossEntropy { smoothing }, &Z, 2);
    let objective = Objective { recipe: Recipe::HardLabels, smoothing };
    let (value, dz) = gradient(&objective, &Z, target(2));
    assert_close(&[value], &[hard]);
    assert_close(&dz, &hard_dz);

    let (value, dz) = gradient(&Objective { recipe: SOFT, smoothing }, &Z, target(2));
    let soft = SoftLabels { temperature: 2.0, alpha: 0.75 };
    let (soft, soft_dz) = gradient(&soft, &Z, Soft { teacher: &V[..], label: None });
    assert_close(&[value], &[soft + 0.25 * hard]);
    let both: Vec<f32> = soft_dz.iter().zip(&hard_dz).map(|(soft, hard)| soft + 0.25 * hard).collect();
    assert_close(&dz, &both);
}

#[test]
fn what_is_mixed_is_what_a_sample_is_held_against() {
    let other = SampleTarget { teacher: &[-2.0, 1.0, 0.5, 0.0], label: Some(0), weight: None };
    let share = 0.3;
    let mix = |first: &[f32], second: &[f32]| -> Vec<f32> {
        first.iter().zip(second).map(|(first, second)| share * first + (1.0 - share) * second).collect()
    };
    let mixed = |recipe| {
        let objective = Objective { recipe, smoothing: 0.0 };
        gradient(&Mixed { loss: &objective, share }, &Z, [target(2), other])
    };
    let softened = |logits: &[f32], temperature: f32| {
        let mut shares = logits.to_vec();
        loss::softmax(&mut shares, temperature);
        shares
    };
    // Labels: the class probabilities are mixed.
    let (value, dz) = mixed(Recipe::HardLabels);
    let targets = [1.0 - share, 0.0, share, 0.0];
    let (expected, expected_dz) =
        gradient(&SoftCrossEntropy::<microdistill::fast::Libm>::NEW, &Z, &targets[..]);
    assert_close(&[value], &[expected]);
    assert_close(&dz, &expected_dz);
    // Teachers: the softened probabilities are mixed, so the loss differs by a constant.
    let (_, dz) = mixed(Recipe::SoftLabels(SoftLabels { temperature: 2.0, alpha: 1.0 }));
    let targets = mix(&softened(&V, 2.0), &softened(other.teacher, 2.0));
    let expected: Vec<f32> = softened(&Z, 2.0).iter().zip(&targets).map(|(p, q)| 2.0 * (p - q)).collect();
    assert_close(&dz, &expected);
    // Values: their weighted mean.
    let (_, dz) = mixed(Recipe::ValueMse);
    let expected: Vec<f32> = Z.iter().zip(mix(&V, other.teacher)).map(|(z, v)| 0.5 * (z - v)).collect();
    assert_close(&dz, &expected);
}

#[test]
fn regularizers_repeat_by_seed_and_change_what_is_learned() {
    let rows = rows(24, 1);
    let plain = trained(&settings(SOFT), rows.samples());
    for regularized in [
        with(settings(SOFT), |training| training.dropout = 0.3),
        Settings { mixup: Some(0.4), ..settings(SOFT) },
        Settings { label_smoothing: 0.2, ..settings(SOFT) },
    ] {
        let first = trained(&regularized, rows.samples());
        assert_eq!(first, trained(&regularized, rows.samples()), "{regularized:?}");
        assert_ne!(first, plain, "{regularized:?}");
    }
}

#[test]
fn a_temperature_that_changes_is_asked_of_the_teachers_anew() {
    let rows = rows(24, 1);
    let other = DMatrix::from_fn(CLASSES, 24, |row, column| ((row * 7 + column) % 5) as f32);
    let both = TeacherOutputs::of([(1.0, rows.teacher.clone()), (1.0, other.into())]).unwrap();
    let samples = Samples { teacher: Some(&both), ..rows.samples() };
    let cooled =
        |last| Settings { annealing: Some(Annealing { last, curve: Curve::Linear }), ..settings(SOFT) };
    // A schedule that ends where it begins changes nothing.
    let plain = trained(&settings(SOFT), samples);
    assert_eq!(trained(&cooled(2.0), samples), plain);
    assert_ne!(trained(&cooled(1.0), samples), plain);
    // The validation loss uses the last temperature from the first epoch on.
    let at_last = Settings { recipe: SOFT.at(1.0), ..settings(SOFT) };
    let stop = |epoch: &Settings| {
        let mut found = None;
        train(epoch, samples, Some(samples), &mut |epoch| {
            found = epoch.validation;
            ControlFlow::Break(())
        })
        .unwrap();
        found.unwrap().loss
    };
    let (cooled, last) = (stop(&cooled(1.0)), stop(&at_last));
    assert!((cooled - last).abs() < 0.1 * last, "{cooled} and {last}");
}

#[test]
fn hints_are_hidden_layers_that_give_the_teachers_through_a_linear_map() {
    let rows = rows(24, 1);
    let mut rng = Pcg32::new(8, 8);
    let teacher = Network::random(&[6, 10, 10, CLASSES], Activation::Tanh, &mut rng);
    let given = |network: &Network, layer: usize| {
        let columns = rows.x.column_iter().map(|x| network.activations(x.as_slice()).swap_remove(layer));
        DMatrix::from_vec(network.layers()[layer].outputs(), 24, columns.flatten().collect())
    };
    let hints = given(&teacher, 1);
    let settings = Settings { label_smoothing: 0.1, ..settings(SOFT) };
    let start = hidden_layers(&settings, &rows.x, &hints, &mut |_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!(start.widths(), [6, 24]);
    // Residual of the best linear map, with a constant, from the hidden layer's outputs to the hints.
    let left = |network: &Network| {
        let hidden = given(network, 0).insert_row(0, 1.0).cast::<f64>();
        let wanted = hints.clone().cast::<f64>();
        let gram = &hidden * hidden.transpose() + DMatrix::identity(25, 25) * 1e-2;
        let map = gram.cholesky().unwrap().solve(&(&hidden * wanted.transpose()));
        (map.transpose() * hidden - wanted).norm_squared()
    };
    let random = Network::random(&[6, 24], Activation::Relu, &mut rng);
    assert!(left(&start) < left(&random), "{} and {}", left(&start), left(&random));
    // The student starts with these layers.
    let samples = rows.samples();
    let still = with(settings.clone(), |training| training.rates.rate = f32::MIN_POSITIVE);
    let student = train_watched(&still, Some(&start), samples, None, &mut |_, _| ControlFlow::Break(()))
        .unwrap()
        .network;
    assert_eq!(student.layers()[0].weights(), start.layers()[0].weights());
    let none = with(settings, |training| training.widths = vec![6, CLASSES]);
    let error = hidden_layers(&none, &rows.x, &hints, &mut |_, _| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "hints are for hidden layers, but the student has none: give it a hidden layer, or train it without hints"
    );
}

#[test]
fn the_best_epoch_is_kept_and_training_stops_when_patience_ends() {
    let (rows, others) = (rows(24, 1), rows(40, 2));
    let settings = with(settings(Recipe::HardLabels), |training| training.patience = Some(7));
    let (trained, history) = history(&settings, rows.samples(), Some(others.samples())).unwrap();
    let losses: Vec<f64> = history.iter().map(|epoch| epoch.validation.unwrap().loss).collect();
    let best = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap();
    assert_eq!((trained.epoch, history.len()), (best + 1, best + 8));
    assert!(history.len() < settings.training.epochs(1));
    // The returned network is the one scored in that epoch.
    let (mut loss, mut right) = (0.0, 0);
    for (x, label) in others.x.column_iter().zip(&others.labels) {
        let z = trained.network.predict(x.as_slice());
        let objective = Objective { recipe: Recipe::HardLabels, smoothing: 0.0 };
        let target = SampleTarget { teacher: &[], label: *label, weight: None };
        loss += f64::from(gradient(&objective, &z, target).0) / 40.0;
        right += usize::from(Some(argmax(&z)) == *label);
    }
    let validation = history[best].validation.unwrap();
    assert_eq!(validation.accuracy, Some(f64::from(right as u32) / 40.0));
    assert!((validation.loss - loss).abs() < 1e-9);
}

#[test]
fn validation_rows_change_nothing_but_the_epoch_that_is_kept() {
    let (rows, others) = (rows(24, 1), rows(40, 2));
    let settings = settings(SOFT);
    let (alone, without) = history(&settings, rows.samples(), None).unwrap();
    let (_, with) = history(&settings, rows.samples(), Some(others.samples())).unwrap();
    assert!(without.iter().map(|epoch| epoch.loss).eq(with.iter().map(|epoch| epoch.loss)));
    assert_eq!(alone.epoch, settings.training.epochs(1));
}

#[test]
fn settings_out_of_their_ranges_are_refused() {
    let rows = rows(8, 1);
    let soft = |temperature, alpha| Recipe::SoftLabels(SoftLabels { temperature, alpha });
    let decoupled = |beta| Recipe::Decoupled(DecoupledSoftLabels { beta, ..DecoupledSoftLabels::DEFAULT });
    let cooled = |recipe, last| Settings {
        annealing: Some(Annealing { last, curve: Curve::Cosine }),
        ..settings(recipe)
    };
    let base = || settings(SOFT);
    let rate = |rate| with(base(), |training| training.rates = AdamRates { rate, ..AdamRates::DEFAULT });
    let decay = |weight_decay| {
        with(base(), |training| training.rates = AdamRates { weight_decay, ..AdamRates::DEFAULT })
    };
    for (settings, message) in [
        (rate(-1.0), "rate -1: it must be above 0"),
        (rate(f32::INFINITY), "rate inf: it must be above 0"),
        (decay(-0.1), "weight decay -0.1: it must be at least 0"),
        (with(base(), |training| training.batch = 0), "batch, epochs and steps must be at least 1"),
        (with(base(), |training| training.dropout = 1.0), "dropout 1: it must be at least 0 and below 1"),
        (
            with(base(), |training| training.dropout = f32::NAN),
            "dropout NaN: it must be at least 0 and below 1",
        ),
        (
            Settings { label_smoothing: -0.1, ..base() },
            "label smoothing -0.1: it must be at least 0 and below 1",
        ),
        (
            Settings { label_smoothing: 0.1, ..settings(Recipe::LogitMse) },
            "label smoothing 0.1: this loss has no labels to smooth; set it to 0, or choose a loss with labels",
        ),
        (Settings { mixup: Some(0.0), ..base() }, "mixup 0: it must be above 0"),
        (
            Settings { blend: Some(Blend { own: 8, share: 0.5 }), ..base() },
            "a share of further rows needs both kinds of rows, but 8 of 8 rows are the data's own: add unlabelled or \
             synthetic rows, or leave the share out",
        ),
        (
            with(base(), |training| training.patience = Some(3)),
            "early stopping needs a validation set: give validation rows, or set no patience",
        ),
        (settings(soft(0.0, 0.5)), "temperature 0: it must be above 0"),
        (settings(soft(f32::NAN, 0.5)), "temperature NaN: it must be above 0"),
        (settings(soft(1.0, 1.5)), "alpha 1.5: it must be in [0, 1]"),
        (settings(decoupled(-1.0)), "beta -1: it must be at least 0"),
        (cooled(SOFT, 0.0), "temperature 0: it must be above 0"),
        (
            cooled(Recipe::OutputMse, 1.0),
            "this loss has no temperature to change: use soft labels, or leave the schedule out",
        ),
    ] {
        assert_eq!(history(&settings, rows.samples(), None).unwrap_err().to_string(), message);
    }
    let two = with(settings(decoupled(4.0)), |training| training.widths = vec![6, 2]);
    let labels = [Some(0); 8];
    let teacher_outputs = TeacherOutputs::from(DMatrix::zeros(2, 8));
    let samples = Samples { x: &rows.x, labels: &labels, teacher: Some(&teacher_outputs), weights: None };
    let error = history(&two, samples, None).unwrap_err().to_string();
    assert!(
        error.starts_with("decoupled soft labels need three classes or more, the student has 2"),
        "{error}"
    );
    let unlabelled = Samples { labels: &[None; 8], ..rows.samples() };
    let error = history(&settings(Recipe::HardLabels), unlabelled, None).unwrap_err().to_string();
    assert_eq!(
        error,
        "training on hard labels needs the label of every row: remove the rows without one, or distill from a teacher"
    );
    assert!(history(&base(), unlabelled, None).is_ok());
}
