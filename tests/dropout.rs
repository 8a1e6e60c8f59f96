//! Dropout: random masks in training, no effect and no cost in inference.

mod common;

use common::numbers;
use microdistill::activation::{Identity, Relu};
use microdistill::layer::InputGradient;
use microdistill::layout::ByInput;
use microdistill::loss::CrossEntropy;
use microdistill::optimizer::{Sgd, SgdRates};
use microdistill::{Chain, Dense, Distiller, Dropout, Layer, Mlp, Network, Params, Train};
use rand_core::Rng;
use rand_pcg::Pcg32;

type First = Dense<4, 16, Relu>;
type Last = Dense<16, 3, Identity, f32, ByInput>;
type Dropping = Chain<First, Chain<Dropout<16, 40>, Last>>;

const RATES: SgdRates = SgdRates { rate: 0.1, momentum: 0.9, weight_decay: 0.0 };

#[test]
fn dropout_costs_nothing_in_inference() {
    let mut plain = <Mlp![4, 16, 3]>::ZERO;
    plain.initialize(&mut Pcg32::new(1, 1));
    let Chain(first, last) = plain.layers;
    let dropping = Network::<Dropping, 20>::new(first.then(Dropout::new().then(last)));
    assert_eq!((size_of_val(&dropping), Dropping::SCRATCH, Dropping::COUNT), (size_of_val(&plain), 20, 131));
    let mut number = numbers(1);
    for _ in 0..100 {
        let x = std::array::from_fn(|_| number() as f32);
        assert_eq!(dropping.predict(&x), plain.predict(&x));
    }
}

#[test]
fn a_mask_keeps_the_expected_share_and_the_mean() {
    type Wide = Dropout<1000, 40>;
    let (mut tape, mut rng) = (Wide::TAPE, Pcg32::new(1, 2));
    let x = [3.0; 1000];
    Wide::new().record(&x, &mut tape);
    assert_eq!(*Wide::output(&tape), x, "before the first mask");
    let mut masks = Vec::new();
    for _ in 0..20 {
        Wide::draw(&mut tape, &mut rng);
        Wide::new().record(&x, &mut tape);
        let y = *Wide::output(&tape);
        assert!(y.iter().all(|&y| y == 0.0 || y == 3.0 / 0.6));
        let kept = y.iter().filter(|y| **y > 0.0).count();
        assert!((550..650).contains(&kept), "{kept} of 1000");
        // The backward pass uses the mask of the forward pass.
        let mut dx = [0.0; 1000];
        Wide::new().backward(&x, &tape, &x, &mut Wide::new(), InputGradient::All(&mut dx));
        assert_eq!(dx, y);
        masks.push(y);
    }
    masks.dedup();
    assert_eq!(masks.len(), 20, "a mask was repeated");
}

#[test]
fn a_mask_draws_one_u32_per_unit_and_a_student_without_dropout_none() {
    let (mut rng, mut same) = (Pcg32::new(1, 2), Pcg32::new(1, 2));
    let mut dropping = Distiller::<Dropping, Sgd<Dropping>>::ZERO;
    dropping.draw(&mut rng);
    (0..16).for_each(|_| _ = same.next_u32());
    let mut first = Distiller::<First, Sgd<First>>::ZERO;
    first.draw(&mut rng);
    assert_eq!(rng.next_u32(), same.next_u32());
}

#[test]
fn a_student_with_dropout_learns() {
    let mut rng = Pcg32::new(3, 4);
    let mut distiller = Distiller::<Dropping, Sgd<Dropping>>::ZERO;
    distiller.student.initialize(&mut rng);
    let rows = |label: usize| std::array::from_fn(|index| if index == label { 1.0 } else { 0.0 });
    for step in 0..600 {
        distiller.draw(&mut rng);
        distiller.learn(&rows(step % 3), &CrossEntropy, step % 3);
        distiller.update(&SgdRates { rate: 0.02, ..RATES });
    }
    let student = Network::<Dropping, 20>::new(distiller.student);
    for label in 0..3 {
        assert_eq!(microdistill::argmax(&student.predict(&rows(label))), label);
    }
}
