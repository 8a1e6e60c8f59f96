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

// In reading order.
pub mod scalar;

pub mod layer;

pub mod activation;
mod chain;
mod dense;
mod dropout;
pub mod fingerprint;
pub mod layout;
mod network;
mod scratch;

pub mod kernel;

pub mod loss;
pub mod optimizer;
pub mod schedule;

mod distill;
pub mod drift;
pub mod finetune;
pub mod guard;
mod online;
pub mod replay;
pub mod teacher;

#[cfg(feature = "checkpoint")]
pub mod checkpoint;
#[cfg(any(feature = "checkpoint", feature = "stream"))]
mod crc32;
#[cfg(feature = "stream")]
pub mod stream;

pub mod fast;
#[cfg(feature = "nalgebra")]
pub mod view;

pub mod quant;

pub mod golden;
pub mod metric;
pub mod scaler;
pub mod text;

pub use chain::Chain;
pub use dense::{Dense, initialize};
pub use distill::Distiller;
pub use dropout::{Dropout, Dropped};
pub use layer::{Layer, Params, Train};
pub use loss::softmax;
pub use metric::argmax;
pub use network::Network;
pub use online::OnlineDistiller;
pub use replay::Replay;
pub use scaler::{Prepare, Scaler};
pub use scratch::{End, Scratch, scratch};
