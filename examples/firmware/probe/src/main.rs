//! Not a board but a test: links everything that the core offers into one binary.
//!
//! Every input, including the lengths of slices, is hidden from the optimizer, and every result is used, so that any panic
//! that the core could reach is in the symbol table (`core::panicking`). Nothing here runs. The linked binary must have no
//! such symbol, no `.data`, and its networks in `.rodata`. Left out are `Debug`, which formats, the constructors of int8
//! layers, which are for consts, and `Checkpoint`, because sequential-storage has checks that panic.
#![no_std]
#![no_main]

use core::hint::{black_box, spin_loop};

use cortex_m_rt::entry;
use microdistill::activation::{Activation, Identity, LeakyRelu, Relu, Relu6, Sigmoid, Tanh};
use microdistill::checkpoint::record;
use microdistill::drift::{Drift, DriftLimits, PageHinkley, PageHinkleyLimits, disagreement};
use microdistill::fast::{FastSigmoid, FastSoftmax, FastTanh, Libm, Micromath, Quartic};
use microdistill::finetune::Shipped as _;
use microdistill::golden::{Golden, self_test, self_test_with};
use microdistill::guard::{Guard, HeldOut, Limits, Score};
use microdistill::kernel::int8::{self, Affine};
use microdistill::kernel::{AdamStep, Kernels, Moments, MomentumStep, int4};
use microdistill::layer::{Array, InputGradient, Role};
use microdistill::layout::ByInput;
use microdistill::loss::{
    BinaryCrossEntropy, Centered, CrossEntropy, DecoupledSoftLabels, Head, Linear, Loss, OutputMse,
    SmoothedCrossEntropy, Soft, SoftCrossEntropy, SoftLabels, Softmax, log_softmax,
};
use microdistill::metric::{Accuracy, Brier, NegativeLogLikelihood, argmax};
use microdistill::optimizer::{Adam, AdamRates, Corrections, Optimizer, Sgd, SgdRates};
use microdistill::quant::{
    Clamp, DenseI4, DenseI8, Dequantize, DequantizeEach, Quantize, Requantize, Stage as _, Table, exp,
    quantize,
};
use microdistill::replay::{Answer, Balanced, Reservoir};
use microdistill::scalar::{Element, Fused, Scalar};
use microdistill::scaler::{Strict, missing, standardize};
use microdistill::schedule::{Constant, HalfCosine, Schedule, Step};
use microdistill::stream::{Decoder, Lesson, Pupil, Receiver, Reply, Request, encode};
use microdistill::teacher::{Ensemble, Quantized, Stored, Teacher, Unsure, margin};
use microdistill::text::{NGrams, ngrams};
use microdistill::view::column;
use microdistill::{
    Chain, Dense, Distiller, Dropout, End, FineTuned, Layer, Mlp, MlpI4, MlpI8, Network, OnlineDistiller,
    Params, Prepare, Replay, Scaler, Scratch, Train, initialize, scratch, shipped, softmax,
};
use rand_pcg::Pcg32;

static NETWORK: Mlp![4, 3, 2] = Network::new(
    Dense::new([[0.5, -1.0, 2.0, 0.25]; 3], [0.1, 0.2, 0.3])
        .then(Dense::new([[1.0, -1.0, 0.5]; 2], [0.0, 0.1])),
);

shipped!(Factory: Mlp![4, 3, 2] = NETWORK);

type Dropping<T> = Chain<Dense<4, 3, Relu, T>, Chain<Dropout<3, 20, T>, Dense<3, 2, Identity, T>>>;

const REQUANTIZE: Requantize = Requantize::new(1 << 30, -6);
const CLAMP: Clamp = Clamp { zero: -128, lowest: -128, highest: 127 };

static NETWORK_I8: MlpI8![4, 3, 2; per layer] =
    Network::new(DenseI8::new([[64, -127, 32, 5]; 3], [7, 8, 9], [REQUANTIZE], CLAMP).then(DenseI8::new(
        [[127, -3, 60]; 2],
        [1, 2],
        [REQUANTIZE],
        CLAMP,
    )));

static NETWORK_I4: MlpI4![4, 3, 2; by group] = Network::new(
    DenseI4::new([[1, -7, 2, 5]; 3], [[18]; 3], [7, 8, 9], [REQUANTIZE; 3], CLAMP).then(DenseI4::new(
        [[7, -3, 6]; 2],
        [[1]; 2],
        [1, 2],
        [REQUANTIZE; 2],
        CLAMP,
    )),
);

static SCALER: Scaler<4> = Scaler::new([1.0, 2.0, 3.0, 4.0], [0.5, 0.25, 2.0, 1.0]);

#[entry]
fn main() -> ! {
    functions::<f32>();
    functions::<f64>();
    functions::<Fused>();
    training::<f32, Mlp![4, 3, 2]>();
    training::<f64, Mlp![4, 3, 2; Tanh, f64]>();
    training::<Fused, Mlp![4, 3, 2; Relu, Fused]>();
    training::<f32, Dense<4, 2, Tanh>>();
    training::<f32, Dense<4, 2, Tanh, f32, ByInput>>();
    training::<f32, Dropping<f32>>();
    training::<f64, Dropping<f64>>();
    training::<f32, FineTuned![Factory; frozen, trained]>();
    training::<f32, FineTuned![Factory; trained, frozen]>();
    training::<f32, FineTuned![Factory; biases, biases]>();
    inference();
    int8();
    int4();
    replay();
    records_and_streams();
    teachers();
    drift();
    guard::<Mlp![4, 3, 2], Sgd<_>>(&SgdRates { rate: 1.0, momentum: 1.0, weight_decay: 1.0 });
    guard::<Dropping<f32>, Adam<_>>(&adam_rates(1.0));
    guard::<FineTuned![Factory; frozen, biases], Adam<_>>(&adam_rates(1.0));
    metrics_and_schedules();
    text();
    loop {
        spin_loop();
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// A slice whose elements and length the optimizer does not know.
fn slice<T>() -> &'static mut [T] {
    black_box(&mut [])
}

fn rng() -> Pcg32 {
    black_box(Pcg32::new(1, 1))
}

/// Calls the functions that take slices or single numbers.
fn functions<T: Kernels>() {
    let x = black_box(T::ONE);
    black_box((x.exp(), x.ln(), x.tanh(), x.sqrt(), x.same_bits(T::ZERO)));
    black_box((T::from_count(black_box(1)), T::unit_interval(black_box(1))));
    initialize::<T>(slice(), black_box(1), &mut rng());
    standardize::<T>(slice(), slice(), slice());
    black_box(missing(slice(), slice(), slice()));
    activations(x);
    kernels(x);
    losses(x);
    steps(x);
}

fn activations<T: Scalar>(x: T) {
    activation::<Identity, T>(x);
    activation::<Relu, T>(x);
    activation::<Relu6, T>(x);
    activation::<LeakyRelu, T>(x);
    activation::<Sigmoid, T>(x);
    activation::<FastSigmoid, T>(x);
    activation::<FastTanh, T>(x);
    activation::<FastTanh<Micromath>, T>(x);
    activation::<Tanh, T>(x);
}

fn kernels<T: Kernels>(x: T) {
    T::affine(slice(), slice(), slice(), slice());
    T::affine_rectified(slice(), slice(), slice(), slice());
    T::affine_input_gradient(slice(), slice(), slice());
    T::affine_parameter_gradient(slice(), slice(), slice(), slice());
    T::affine_by_input(slice(), slice(), slice(), slice());
    T::by_input_gradients::<true>(slice(), slice(), slice(), slice(), slice());
    T::by_input_gradients::<false>(slice(), slice(), slice(), slice(), slice());
    T::by_input_descend::<true>(slice(), slice(), slice(), slice());
    T::by_input_descend::<false>(slice(), slice(), slice(), slice());
    T::add_outer(slice(), slice(), slice());
    T::add_all(slice(), slice());
    T::rectify(slice());
    let step = AdamStep { scale: x, beta1: x, beta2: x, epsilon: x, rate: x, keep: x };
    T::adam(slice(), slice(), Moments { first: slice(), second: slice() }, &step);
    let step = MomentumStep { scale: x, momentum: x, decay: x, rate: x };
    T::momentum(slice(), slice(), slice(), &step);
}

fn losses<T: Scalar>(x: T) {
    black_box(softmax::<T>(slice(), x));
    log_softmax::<T>(slice());
    head::<Linear, T>();
    head::<Softmax, T>();
    head::<FastSoftmax, T>();
    head::<Sigmoid, T>();
    loss::<OutputMse<Linear>, T>(OutputMse::new(), slice());
    loss::<OutputMse<Softmax>, T>(OutputMse::new(), slice());
    loss::<OutputMse<Sigmoid>, T>(OutputMse::new(), slice());
    loss::<CrossEntropy, T>(CrossEntropy, black_box(1));
    loss(SmoothedCrossEntropy { smoothing: x }, black_box(1));
    loss::<BinaryCrossEntropy, T>(BinaryCrossEntropy, black_box(true));
    loss::<OutputMse<Centered>, T>(OutputMse::new(), slice());
    loss(
        DecoupledSoftLabels { temperature: x, alpha: x, beta: x },
        Soft { teacher: slice(), label: black_box(Some(1)) },
    );
    loss(SoftLabels { temperature: x, alpha: x }, Soft { teacher: slice(), label: black_box(None) });
}

/// Calls the optimizers.
fn steps<T: Kernels>(x: T) {
    SgdRates { rate: x, momentum: x, weight_decay: x }.step(
        black_box(Role::Bias),
        slice(),
        slice(),
        slice(),
        x,
    );
    let rates = adam_rates(x);
    let mut corrections = black_box(Corrections::ZERO);
    corrections.advance(&rates);
    let moments = Moments { first: slice(), second: slice() };
    rates.step(black_box(Role::Bias), slice(), slice(), moments, &corrections, x);
}

fn activation<A: Activation, T: Scalar>(x: T) {
    black_box((A::apply(x), A::backward(x, x), A::fan(black_box(1), black_box(1))));
}

fn head<H: Head, T: Scalar>() {
    H::apply::<T>(slice());
    H::backward::<T>(slice(), slice());
}

fn loss<L: Loss<T>, T: Scalar>(loss: L, target: L::Target<'_>) {
    black_box(loss.gradient(slice(), target, slice(), slice()));
}

fn adam_rates<T: Copy>(x: T) -> AdamRates<T> {
    AdamRates { rate: x, beta1: x, beta2: x, epsilon: x, weight_decay: x }
}

/// Calls the methods of a trainable network.
fn training<T: Kernels, S: Train<Scalar = T> + 'static>() {
    let x = black_box(T::ONE);
    let input = black_box(S::Input::ZEROED);
    let (mut student, mut gradient, mut tape) = black_box((S::ZERO, S::ZERO, S::TAPE));
    student.initialize(&mut rng());
    S::draw(&mut tape, &mut rng());
    student.record(&input, &mut tape);
    let mut dx = S::Input::ZEROED;
    student.backward(
        &input,
        &tape,
        &black_box(S::Output::ZEROED),
        &mut gradient,
        InputGradient::All(&mut dx),
    );
    student.backward(
        &input,
        &tape,
        &black_box(S::Output::ZEROED),
        &mut gradient,
        InputGradient::Active(&mut dx),
    );
    student.backward(&input, &tape, S::output(&tape), &mut gradient, InputGradient::None);
    student.descend(&input, &tape, &black_box(S::Output::ZEROED), InputGradient::Active(&mut dx));
    student.descend(&input, &tape, &black_box(S::Output::ZEROED), InputGradient::All(&mut dx));
    student.descend(&input, &tape, &black_box(S::Output::ZEROED), InputGradient::None);
    black_box(&mut dx).as_mut_slice().copy_from_slice(input.as_slice());
    for ((_, weights), (role, gradient)) in student.tensors_mut().zip(gradient.tensors()) {
        black_box((role, weights, gradient));
    }

    let rates = SgdRates { rate: x, momentum: x, weight_decay: x };
    black_box(Sgd::<S>::ZERO).step(&mut student, &mut gradient, x, &rates);
    black_box(Adam::<S>::ZERO).step(&mut student, &mut gradient, x, &adam_rates(x));
    distillation::<T, S, Sgd<S>>(&input, &rates);
    distillation::<T, S, Adam<S>>(&input, &adam_rates(x));
    black_box((&student, &gradient));
}

fn distillation<T: Kernels, S: Train<Scalar = T>, O: Optimizer<S>>(input: &S::Input, rates: &O::Rates) {
    let x = black_box(T::ONE);
    let mut distiller = black_box(Distiller::<S, O>::ZERO);
    let teacher = black_box(S::Output::ZEROED);
    let soft = SoftLabels { temperature: x, alpha: x };
    distiller.draw(&mut rng());
    black_box(distiller.learn(input, &soft, Soft { teacher: &teacher, label: black_box(None) }));
    black_box(distiller.learn(input, &CrossEntropy, black_box(1)));
    black_box(distiller.learn(input, &OutputMse::<Softmax>::new(), &teacher));
    black_box(distiller.learn(input, &OutputMse::<Linear>::new(), &teacher));
    distiller.update(rates);
    black_box(&distiller);
    let mut online = black_box(OnlineDistiller::<S>::ZERO);
    online.student.copy_from(&distiller.student);
    black_box(online.learn(input, &SoftCrossEntropy::<Libm>::NEW, &teacher, x));
    black_box(online.learn(input, &SoftCrossEntropy::<Quartic>::NEW, &teacher, x));
    black_box(&online);
}

fn inference() {
    let (network, scaler) = black_box((&NETWORK, &SCALER));
    let input = scaler.apply(black_box(&[0.0; 4]));
    black_box(network.predict(&input));
    black_box(network.run(black_box(&mut Scratch::<_, 9>::new()), black_box(End::Back)));
    let hidden = Dense::<4, 3>::new(black_box([[1.0; 4]; 3]), black_box([1.0; 3]));
    let last = Dense::<3, 2, Identity, f32, ByInput>::new(black_box([[1.0; 3]; 2]), black_box([1.0; 2]));
    black_box(Network::<_, 7>::new(hidden.then(last)) == *network);
    let layer = black_box(last);
    black_box((layer.weights(), layer.weights_view(), layer.bias_view(), column(black_box(&[1.0; 3]))));
    let mut hidden = black_box(hidden);
    // Only one mutable view: nalgebra divides to check that its elements do not alias, and the compiler evaluates only one such
    // check in advance.
    hidden.weights_view_mut()[(2, 1)] = 1.0;
    black_box(hidden.weights_mut());
    black_box(hidden.weights_view());
    black_box(self_test(scaler, network, slice::<Golden<4, [f32; 4], [f32; 2]>>()).is_ok());
    let vector = black_box(Golden { raw: [0.0; 4], input: [0.0; 4], output: [0.0; 2] });
    black_box(self_test_with(scaler, network, slice(), &vector).is_ok());
    black_box(Strict(scaler).apply(black_box(&[0.0; 4])).is_ok());
    let personal = black_box(Factory::student::<FineTuned![Factory; biases, frozen]>());
    black_box(personal.predict(&input));
    black_box(scratch::<f32>(slice()));
    black_box(scratch::<i8>(slice()));
}

fn int8() {
    let layer = Affine {
        weights: slice(),
        bias: slice(),
        multipliers: slice(),
        shifts: slice(),
        short: black_box(true),
        zero: black_box(1),
    };
    int8::affine(&layer, slice(), slice());
    int8::hold_all(slice(), slice());
    int8::rows::affine(&layer, slice(), slice());
    int8::pairs::affine(&layer, slice(), slice());
    int8::quads::affine(&layer, slice(), slice());
    let requantize = black_box(Requantize::new(black_box(1), black_box(1)));
    black_box((requantize.multiplier(), requantize.shift(), requantize.apply(black_box(1))));
    black_box(Requantize::from_factor(black_box(1.0)));
    black_box(CLAMP).apply(slice());
    black_box(quantize(black_box(1.0), black_box(1.0), black_box(1)));
    black_box(black_box(1i8).same_bits(black_box(1)));

    let network = black_box(&NETWORK_I8);
    let input = black_box(Quantize { scaler: SCALER, scale: 1.0, zero: 1 });
    let output = black_box(Dequantize { scale: 1.0, zero: 1 });
    black_box(output.apply(&network.predict(&input.apply(black_box(&[0.0; 4])))));
    black_box(network.run(black_box(&mut Scratch::<_, 10>::new()), black_box(End::Back)));
    black_box(self_test(&input, network, slice::<Golden<4, [i8; 4], [i8; 2]>>()).is_ok());
    black_box(Strict(&input).apply(black_box(&[0.0; 4])).is_ok());
    let values = black_box(DequantizeEach { lowest: [1.0; 2], scale: [1.0; 2] });
    black_box((values.apply(black_box(&[0; 2])), values.encode(black_box(&[0.0; 2]))));

    black_box(exp(black_box(1.0)));
    black_box((Table::tanh(black_box(output)), Table::sigmoid(black_box(output))));
    let table = Table::leaky_relu(black_box(0.1), black_box(output), black_box(output));
    black_box((Table::new(black_box([0; 256]), black_box(1)), table.zero(), table.map(black_box(1))));
    table.apply(slice());
    black_box(microdistill::quant::Softmax::new(black_box(1.0)).apply(black_box(&[0; 7])));
}

fn int4() {
    let layer = int4::Affine {
        weights: int4::Packed { bytes: slice(), group_scales: slice() },
        bias: slice(),
        multipliers: slice(),
        shifts: slice(),
        short: black_box(true),
        zero: black_box(0),
    };
    int4::affine(&layer, slice(), slice());
    int4::rows::affine(&layer, slice(), slice());
    int4::fours::affine(&layer, slice(), slice());
    black_box(int4::pack(black_box(1), black_box(2)));
    black_box(black_box(&NETWORK_I4).predict(black_box(&[0; 4])));
}

fn replay() {
    let mut replay = black_box(Replay::<[f32; 4], [f32; 2], 5>::default());
    replay.push(black_box([0.0; 4]), black_box([0.0; 2]));
    black_box((replay.len(), replay.is_empty(), replay.draw(&mut rng()), replay.get(black_box(1))));

    let input = black_box(Quantize { scaler: SCALER, scale: 1.0, zero: 1 });
    let output = black_box(Dequantize { scale: 1.0, zero: 1 });
    let codes = input.apply(black_box(&[0.0; 4]));
    let answer = Answer { logits: output.encode(black_box(&[0.0; 2])), label: black_box(None) };
    let mut reservoir = black_box(Replay::<_, _, 5, Reservoir>::reservoir());
    reservoir.push(codes, answer, &mut rng());
    let mut balanced = black_box(Replay::<_, _, 5, Balanced<5, 3>>::balanced());
    balanced.push(codes, answer, black_box(1), &mut rng());
    black_box((input.decode(&codes), reservoir.draw(&mut rng()), balanced.held()));
}

fn teachers() {
    let input = black_box([0.0; 4]);
    let quantize = Quantize { scaler: SCALER, scale: 1.0, zero: 1 };
    let output = Dequantize { scale: 1.0, zero: 1 };
    let int8 = black_box(Quantized { input: &quantize, network: &NETWORK_I8, output: &output });
    black_box(Teacher::<[i8; 4], _>::teach(&int8, black_box(&[0; 4])));
    let values = DequantizeEach { lowest: [1.0; 2], scale: [1.0; 2] };
    let regression = black_box(Quantized { input: &quantize, network: &NETWORK_I8, output: &values });
    black_box(Teacher::<[f32; 4], _>::teach(&regression, &input));
    black_box(Stored.teach(black_box(&([0.0; 4], [0.0; 2]))));
    let closure = |_: &[f32; 4]| black_box([0.0; 2]);
    let members: [&dyn Teacher<[f32; 4], [f32; 2]>; 3] = [&NETWORK, &int8, &closure];
    let teacher = Ensemble { members: black_box(members.as_slice()) };
    let mut queries = black_box(Unsure::new(0.5, 1));
    black_box(queries.ask(&teacher, &input, slice()));
    black_box((queries.asked(), queries.saved(), margin(slice())));
}

fn drift() {
    let limits = black_box(DriftLimits { block: black_box(1), ..DriftLimits::DEFAULT });
    black_box(Drift::learning(black_box(1.0), black_box(1)));
    let mut drift = black_box(Drift::expecting(black_box(1.0), black_box(1)));
    black_box((
        drift.add(disagreement(black_box(&[0.0; 2]), black_box(&[0.0; 2])), &limits),
        drift.is_learning(),
    ));
    let mut test = black_box(PageHinkley::ZERO);
    black_box((test.add(black_box(1.0), black_box::<&PageHinkleyLimits>(&limits.start)), test.norm()));
}

fn guard<S, O>(rates: &O::Rates)
where
    S: Train<Scalar = f32, Input = [f32; 4], Output = [f32; 2]> + Copy,
    O: Optimizer<S>,
{
    let rows = black_box::<&[([f32; 4], usize)]>(slice());
    let row = |index: usize| rows.get(index).copied();
    let held_out = HeldOut { trusted: row, recent: row };
    let mut guard = black_box(Guard::<S, O>::ZERO);
    guard.begin(black_box(&S::ZERO));
    guard.begin_with(|student| student.copy_from(black_box(&S::ZERO)));
    let score = Score::of(guard.student(), &row);
    let limits = black_box(Limits { trusted: score.likelihood(), ..Limits::DEFAULT });
    let progress = guard.train_for(black_box(1), &limits, &held_out, |distiller| {
        let loss = distiller.learn(black_box(&[0.0; 4]), &CrossEntropy, black_box(1));
        distiller.update(rates);
        black_box(Some(loss))
    });
    black_box((progress, progress.is_under_way(), guard.kept(), guard.rolled_back()));
    black_box((score.rows(), score.errors(), guard.student().tensors().count()));
}

fn records_and_streams() {
    let mut student = black_box(<Mlp![4, 3, 2]>::ZERO);
    black_box(record::encode(&student, black_box(1)).fold(0, |sum: u32, byte| sum ^ u32::from(byte)));
    black_box(record::decode(slice(), black_box(1), &mut student).is_ok());
    black_box(record::seal(&student, black_box(1)));
    black_box(&student);

    const BYTES: usize = Lesson::<[f32; 4], [i8; 2]>::FRAME_BYTES;
    let mut decoder = black_box(Decoder::<[f32; 4], [i8; 2], BYTES>::default());
    black_box((decoder.push(black_box(1)), decoder.last(), decoder.counts()));
    let lesson = black_box(Lesson { x: [1.0f32; 4], teacher: [1i8; 2], label: Some(1) });
    black_box(encode(black_box(1), &lesson, slice()).is_ok());
    pupil();
}

fn pupil() {
    type Question = Request<[f32; 4], [f32; 2]>;
    let mut distiller = black_box(Distiller::<Mlp![4, 3, 2], Adam<_>>::ZERO);
    let mut pupil = Pupil::<_, { Question::FRAME_BYTES }>::new(&mut distiller);
    black_box(pupil.push(black_box(1), &mut [0; Reply::FRAME_BYTES]).is_some());
    black_box(pupil.student());
    black_box(encode(black_box(1), &black_box(Question::Hello), slice()).is_ok());
    let mut receiver = black_box(Receiver::<{ Reply::FRAME_BYTES }>::default());
    black_box(receiver.push::<Reply>(black_box(1)));
}

fn metrics_and_schedules() {
    let mut accuracy = black_box(Accuracy::default());
    accuracy.add::<f32>(slice(), black_box(1));
    black_box((accuracy.share(), accuracy));
    black_box((argmax::<f32>(slice()), argmax::<i8>(slice())));
    let (mut likelihood, mut brier) = black_box((NegativeLogLikelihood::default(), Brier::default()));
    likelihood.add(slice(), black_box(1));
    brier.add(slice(), black_box(1));
    black_box((likelihood.mean(), brier.mean()));
    black_box(black_box(Constant).share(black_box(1)));
    black_box(Step { every: black_box(1), factor: black_box(0.5) }.share(black_box(1)));
    black_box(HalfCosine { steps: black_box(1) }.share(black_box(1)));
}

fn text() {
    let bytes: &[u8] = slice();
    black_box(black_box(NGrams::<5>::new(1, 3)).features(bytes));
    ngrams(bytes, black_box([1, 3]), slice());
}
