//! Training a part: the last layers, or the biases alone, of a network in flash, where all else stays.
//!
//! What is frozen is read where it was shipped: a student, its gradient, an optimizer's moments, a
//! [`Guard`](crate::guard::Guard)'s candidate and a checkpoint are as small as what is trained, and no gradient goes farther
//! down than to the lowest layer that is.
//!
//! ```
//! use microdistill::finetune::Shipped;
//! use microdistill::loss::{Soft, SoftLabels};
//! use microdistill::optimizer::{Adam, AdamRates};
//! use microdistill::{Distiller, FineTuned, Mlp, Params};
//!
//! # type Student = Mlp![2, 8, 3];
//! # static STUDENT: Student = Student::ZERO;
//! // `Student` and `STUDENT` are the exported file's.
//! microdistill::shipped!(Factory: Student = STUDENT);
//! type Personal = FineTuned![Factory; frozen, trained]; // of two layers the last one is trained
//!
//! let mut distiller = Distiller::<Personal, Adam<Personal>>::ZERO; // in a static, it lies in .bss
//! distiller.student = Factory::student();
//!
//! distiller.learn(&[0.5, -1.0], &SoftLabels::DEFAULT, Soft { teacher: &[2.0, 0.0, -2.0], label: None });
//! distiller.update(&AdamRates::DEFAULT);
//! assert_ne!(distiller.student.predict(&[0.5, -1.0]), STUDENT.predict(&[0.5, -1.0]));
//! assert_eq!((Student::COUNT, Personal::COUNT), ((2 + 1) * 8 + (8 + 1) * 3, (8 + 1) * 3));
//! ```
//!
//! `FineTuned![Factory; biases, trained]` trains the first layer's biases, too, and `[Factory; biases, biases]` nothing but
//! biases (TinyTL, Cai et al. 2020, and BitFit, Ben Zaken et al. 2022). A split that the network does not have does not
//! compile:
//!
//! ```compile_fail,E0271
//! # use microdistill::{FineTuned, Mlp, Params};
//! # type Student = Mlp![2, 8, 3];
//! # static STUDENT: Student = Student::ZERO;
//! # microdistill::shipped!(Factory: Student = STUDENT);
//! type Personal = FineTuned![Factory; frozen, frozen, trained]; // `Student` has two layers
//! println!("{}", Personal::COUNT);
//! ```
//!
//! What is kept of it belongs to the shipped weights as much as to the type: a new model needs a new
//! [version](crate::checkpoint).

mod bias_only;
mod frozen;
mod shipped;

pub use bias_only::BiasOnly;
pub use frozen::Frozen;
pub use shipped::{First, Layers, Rest, Shipped, StartsAs};

/// The type of a network that is trained in part: what is [`Shipped`], then `frozen`, `biases` or `trained` a layer, from
/// input to output. The last word is for all the layers that are left, but for `biases`, which is for one.
///
/// See [`finetune`](crate::finetune).
#[macro_export]
macro_rules! FineTuned {
    (@layers $part:ty; frozen) => { $crate::finetune::Frozen<$part> };
    (@layers $part:ty; biases) => { $crate::finetune::BiasOnly<$part> };
    (@layers $part:ty; trained) => { <$part as $crate::finetune::Shipped>::Layer };
    (@layers $part:ty; $how:ident, $($rest:ident),+) => {
        $crate::Chain<
            $crate::FineTuned!(@layers $crate::finetune::First<$part>; $how),
            $crate::FineTuned!(@layers $crate::finetune::Rest<$part>; $($rest),+),
        >
    };
    ($shipped:ty; $($how:ident),+ $(,)?) => {
        $crate::Network<
            $crate::FineTuned!(@layers $crate::finetune::Layers<$shipped>; $($how),+),
            { <<$shipped as $crate::finetune::Shipped>::Layer as $crate::Layer>::SCRATCH },
        >
    };
}
