use super::*;
use microdistill_train::teacher;
use nalgebra::DMatrix;
use rand_core::Rng;
use rand_pcg::Pcg32;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Two classes given by the sign of a product, which a student without hidden units cannot learn.
fn problem() -> (Dataset, Model) {
    let mut rng = Pcg32::new(1, 1);
    let x = DMatrix::from_fn(2, 240, |_, _| (rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0);
    let classes: Vec<usize> = x.column_iter().map(|x| usize::from(x[0] * x[1] > 0.0)).collect();
    let data = Dataset {
        features: vec!["a".into(), "b".into()],
        task: Task::Classification { target: "y".into(), labels: vec!["0".into(), "1".into()] },
        target: Target::Classes(classes),
        groups: Some((0..240).map(|row| (row / 40).to_string()).collect()),
        hash: String::new(),
        origin: Vec::new(),
        target_origin: Vec::new(),
        left_out: Vec::new(),
        keys: None,
        options: microdistill_train::table::Options::default(),
        notes: Vec::new(),
        x,
    };
    let mut settings = teacher::Settings::new(vec![2, 32, 2], 240, 1);
    settings.rates.rate = 1e-2;
    let teacher = teacher::fit(&data, None, &settings, &mut |_| ControlFlow::Continue(())).unwrap();
    (data, teacher)
}

const PLAN: Plan = Plan { candidates: 9, folds: 2, seed: 5 };

fn run(plan: Plan, flow: &(dyn Fn() -> ControlFlow<()> + Sync)) -> Result<Found> {
    let (data, teacher) = problem();
    let budget = Budget { flash: Some(600), ..Budget::default() };
    let teachers = Teachers::Given(&teacher.teacher_outputs(&data));
    search(Problem { data: &data, teachers, budget }, plan, &|| (), flow)
}

fn on() -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn a_third_goes_on_and_the_best_is_first() {
    assert_eq!(rounds(27), [27, 9, 3, 1]);
    assert_eq!((rounds(2), rounds(0)), (vec![2], vec![1]));
    let found = run(PLAN, &on).unwrap();
    assert_eq!(found.trials.len(), 9);
    let of = |round| found.trials.iter().filter(move |trial| trial.round == round);
    assert_eq!([1, 2, 3].map(|round| of(round).count()), [6, 2, 1]);
    assert_eq!(found.best().share, 1.0);
    assert!(found.best().score > 0.85, "{:?}", found.best());
    assert!(found.trials.iter().all(|trial| trial.cost.flash <= 600));
    let front = found.front();
    assert!(
        front.contains(&found.trials.iter().min_by_key(|trial| (trial.cost.flash, trial.cost.ram)).unwrap())
    );
    assert!(front.windows(2).all(|pair| pair[0].cost.flash <= pair[1].cost.flash));
}

#[test]
fn a_search_is_the_same_on_one_thread() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one.install(|| run(PLAN, &on)).unwrap(), run(PLAN, &on).unwrap());
}

#[test]
fn a_search_that_is_broken_off_keeps_the_best_so_far() {
    let calls = AtomicUsize::new(0);
    // Each of the nine calls this a few dozen times per fold.
    let flow = || match calls.fetch_add(1, Ordering::Relaxed) {
        0..800 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let found = run(PLAN, &flow).unwrap();
    assert!(found.best().share < 1.0);
    assert_eq!(found.student().unwrap().outputs(), 2);
    let error = run(PLAN, &|| ControlFlow::Break(())).unwrap_err();
    assert!(matches!(error, Error::Interrupted), "{error}");
}

/// The teachers are the same, whatever the labels of those rows.
#[test]
fn teachers_of_a_fold_have_not_seen_the_rows_that_judge() {
    let (data, teacher) = problem();
    let fold = &folds(&data, 2, 1).unwrap()[0];
    let teacher_outputs = |data: &Dataset| {
        let teachers = [(1.0, teacher.clone())];
        FoldRows::of(data, Teachers::Like(&teachers), fold, &on).unwrap().teacher_outputs
    };
    let flipped = |rows: &[usize]| {
        let Target::Classes(mut classes) = data.target.clone() else { panic!("not classes") };
        rows.iter().for_each(|&row| classes[row] = 1 - classes[row]);
        Dataset { target: Target::Classes(classes), ..data.clone() }
    };
    assert_eq!(teacher_outputs(&flipped(&fold.validation)), teacher_outputs(&data));
    assert_ne!(teacher_outputs(&flipped(&fold.train)), teacher_outputs(&data));
    assert_ne!(
        teacher_outputs(&data),
        teacher.teacher_outputs(&data).select(&fold.train),
        "they are not the given one either"
    );
}

#[test]
fn teachers_of_unknown_training_have_none_like_them() {
    let (data, mut teacher) = problem();
    teacher.metadata.training = None;
    let teachers = Teachers::Like(&[(1.0, teacher)]);
    let error = search(Problem { data: &data, teachers, budget: Budget::default() }, PLAN, &|| (), &on);
    assert_eq!(
        error.unwrap_err().to_string(),
        "the model does not say how it was trained: train the teacher again with this version"
    );
}
