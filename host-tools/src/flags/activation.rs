//! The activation of hidden layers, as a flag.

use clap::ValueEnum;
use microdistill_train::network::Activation;

/// The activations of hidden layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ActivationFlag {
    /// max(z, 0)
    Relu,
    /// min(max(z, 0), 6)
    Relu6,
    /// z above zero, else z/100
    LeakyRelu,
    /// tanh z
    Tanh,
    /// 1 / (1 + exp(−z))
    Sigmoid,
}

impl From<ActivationFlag> for Activation {
    fn from(flag: ActivationFlag) -> Self {
        match flag {
            ActivationFlag::Relu => Activation::Relu,
            ActivationFlag::Relu6 => Activation::Relu6,
            ActivationFlag::LeakyRelu => Activation::LeakyRelu,
            ActivationFlag::Tanh => Activation::Tanh,
            ActivationFlag::Sigmoid => Activation::Sigmoid,
        }
    }
}
