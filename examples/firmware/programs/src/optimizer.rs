//! Optimizer of the student: SGD with momentum, or Adam with `MICRODISTILL_OPTIMIZER=adam`.

#[cfg(not(adam))]
mod chosen {
    use microdistill::optimizer::{Sgd, SgdRates};

    pub(crate) const NAME: &str = "sgd";
    pub(crate) type Optimizer<S> = Sgd<S>;
    /// Typical values for a batch size of 8.
    pub(crate) const RATES: SgdRates = SgdRates { rate: 0.02, momentum: 0.9, weight_decay: 1e-4 };
}

/// Keeps one more moment per parameter than SGD.
#[cfg(adam)]
mod chosen {
    use microdistill::optimizer::{Adam, AdamRates};

    pub(crate) const NAME: &str = "adam";
    pub(crate) type Optimizer<S> = Adam<S>;
    /// Learning rate above the paper's 10⁻³, because the student is small and the steps are few.
    pub(crate) const RATES: AdamRates = AdamRates { rate: 3e-3, ..AdamRates::DEFAULT };
}

pub(crate) use chosen::{NAME, Optimizer, RATES};
