//! Distill a model into kilobytes, run it, and let it go on learning, on a microcontroller: no heap, no panic, equal
//! bits on every target.
//!
//! ```text
//! dataset → teacher → distill → student → quantize → export → firmware (infer · distill on the device)
//! ```
//!
//! The desktop's half of the arrow is the command line `microdistill` (crate `microdistill-host-tools`). It writes a
//! trained network as Rust consts; this crate is what those consts are made of, and what runs them.
//!
//! **A network is a type.** [`Mlp![30, 16, 7]`](Mlp) is a [`Network`] of [`Dense`] layers in a [`Chain`]; shapes that do
//! not fit do not compile. Every layer is a plain array, so a `static` network lies in flash:
//!
//! ```
//! use microdistill::activation::Relu;
//! use microdistill::{Dense, Mlp, Network, argmax};
//!
//! type Student = Mlp![2, 2, 2];
//!
//! static STUDENT: Student = Network::new(
//!     Dense::new([[1.0, -1.0], [-1.0, 1.0]], [0.0, 0.0])
//!         .then(Dense::new([[1.0, 0.0], [0.0, 1.0]], [0.1, 0.0])),
//! );
//!
//! let logits = STUDENT.predict(&[0.2, 0.9]);
//! assert_eq!(argmax(&logits), 1);
//! ```
//!
//! **Inference** takes one buffer of [`Network::SCRATCH_BYTES`] on the stack and cannot fail. An int8 network,
//! [`MlpI8!`], is used the same way; its [edges](quant::Quantize) take raw features and give real outputs.
//!
//! **Distillation** is a [`Distiller`]: student, gradient, optimizer and tape in one value that starts all zero. Give it
//! samples with the teacher's logits ([`SoftLabels`](loss::SoftLabels)), kept in a [`Replay`] ring so that the teacher
//! runs once a sample.
//!
//! [**Fine-tuning**](finetune) trains a part of a student that lies in flash, its last layers or its biases, and takes
//! memory for that part alone.
//!
//! **Text** becomes features by [`text::NGrams`]: hashed character n-grams.
//!
//! **In the field** a student learns from a [`Teacher`](teacher::Teacher): a network, an ensemble, a closure or stored
//! answers. [`Drift`](drift::Drift) tells when it is worth learning. A [`Guard`](guard::Guard) keeps the student from
//! getting worse: a candidate learns in bounded pieces of work and replaces the student in use only where held-out rows
//! allow it.
//!
//! **Features** add to this and change none of it: `defmt` (values can be logged), `micromath` (its exponential in
//! [`fast`]), `nalgebra` (module `view`: weights as matrices), `checkpoint` (what was learned, in flash), `stream` (samples
//! with soft labels, over a serial line).
//!
//! **Numbers.** The same model and input give the same bits on x86-64, Cortex-M and RISC-V, at every optimization
//! level, in inference and in training: summation order is fixed, nothing is fused, and `exp`, `ln` and `tanh` come
//! from [`libm`].
#![no_std]

// In the order of the arrow.
pub mod scalar;

pub mod kernel;

pub mod network;

pub mod training;

pub mod quant;

pub mod field;

pub mod features;
pub mod golden;
pub mod metric;

#[cfg(feature = "checkpoint")]
pub mod checkpoint;
#[cfg(any(feature = "checkpoint", feature = "stream"))]
mod hash;
#[cfg(feature = "stream")]
pub mod stream;

// The modules by their short paths, which exported files use.
pub use features::{knots, ngrams as text, scaler};
pub use field::{drift, guard, replay, teacher};
#[cfg(feature = "nalgebra")]
pub use network::view;
pub use network::{activation, fast, fingerprint, layer, layout};
pub use training::{finetune, loss, optimizer, schedule};

#[cfg(any(feature = "checkpoint", feature = "stream"))]
use hash::crc32;
use network::dense;

pub use knots::Knots;
pub use layer::{Layer, Params, Train};
pub use loss::softmax;
pub use metric::argmax;
pub use network::Network;
pub use network::chain::Chain;
pub use network::dense::{Dense, initialize};
pub use network::dropout::{Dropout, Dropped};
pub use network::piecewise::PiecewiseLinear;
pub use network::scratch::{End, Scratch, scratch};
pub use replay::Replay;
pub use scaler::{Prepare, Scaler, Strict};
pub use training::distiller::Distiller;
pub use training::online::OnlineDistiller;
