//! `--activation`: the activation of the hidden layers.

use clap::ValueEnum;
use microdistill_train::network::Activation;

/// Activations of hidden layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ActivationFlag {
    /// max(z, 0)
    Relu,
    /// min(max(z, 0), 6)
    Relu6,
    /// z if z > 0, else z/100
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
