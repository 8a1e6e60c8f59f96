//! Activations that only models of other tools have. They are computed in f64 and rounded once; no board runs them, and
//! nothing trains them.

use serde::{Deserialize, Serialize};

/// Element-wise activation that the core crate does not have.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Curve {
    /// `y = z` above zero, else `slope·z`
    LeakyRelu(f32),
    /// `y = z` above zero, else `alpha·(exp(z) − 1)`
    Elu(f32),
    /// `y = 1.0507·z` above zero, else `1.7581·(exp(z) − 1)`
    Selu,
    /// `y = z·Φ(z)`, with the distribution function of the normal distribution
    Gelu,
    /// The approximation of GELU by tanh
    GeluTanh,
    /// `y = z·sigmoid(z)`
    Silu,
    /// `y = z·min(max(z + 3, 0), 6)/6`
    HardSwish,
    /// `y = min(max(slope·z + offset, 0), 1)`
    HardSigmoid(f32, f32),
    /// `y = ln(1 + exp z)`
    Softplus,
    /// `y = z / (1 + |z|)`
    Softsign,
    /// `y = exp z`
    Exponential,
    /// `y = z·tanh(ln(1 + exp z))`
    Mish,
    /// `y = −ln(1 + exp(−z))`
    LogSigmoid,
    /// `y = min(max(z, lowest), highest)`
    Clip(f32, f32),
    /// `y = max(z, lowest)`
    AtLeast(f32),
    /// `y = z` above the threshold, else 0
    Threshold(f32),
    /// `y = z` outside of ±lambda, else 0
    HardShrink(f32),
    /// `y = z ∓ lambda` outside of ±lambda, else 0
    SoftShrink(f32),
    /// `y = z − tanh z`
    TanhShrink,
    /// `y = |z|`
    Abs,
    /// `y = z²`
    Square,
}

/// Factors of SELU, by Klambauer et al. 2017.
const SELU: [f64; 2] = [1.050_700_987_355_480_5, 1.673_263_242_354_377_2];

impl Curve {
    /// Returns the output for `z`.
    pub fn apply(self, z: f64) -> f64 {
        let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
        let softplus = |z: f64| z.max(0.0) + (-z.abs()).exp().ln_1p();
        match self {
            Curve::LeakyRelu(slope) => {
                if z > 0.0 {
                    z
                } else {
                    f64::from(slope) * z
                }
            }
            Curve::Elu(alpha) => {
                if z > 0.0 {
                    z
                } else {
                    f64::from(alpha) * z.exp_m1()
                }
            }
            Curve::Selu => SELU[0] * if z > 0.0 { z } else { SELU[1] * z.exp_m1() },
            Curve::Gelu => 0.5 * z * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2),
            Curve::GeluTanh => {
                let root = (2.0 / std::f64::consts::PI).sqrt();
                0.5 * z * (1.0 + (root * (z + 0.044715 * z.powi(3))).tanh())
            }
            Curve::Silu => z * sigmoid(z),
            Curve::HardSwish => z * (z + 3.0).clamp(0.0, 6.0) / 6.0,
            Curve::HardSigmoid(slope, offset) => (f64::from(slope) * z + f64::from(offset)).clamp(0.0, 1.0),
            Curve::Softplus => softplus(z),
            Curve::Softsign => z / (1.0 + z.abs()),
            Curve::Exponential => z.exp(),
            Curve::Mish => z * softplus(z).tanh(),
            Curve::LogSigmoid => -softplus(-z),
            Curve::Clip(lowest, highest) => z.max(lowest.into()).min(highest.into()),
            Curve::AtLeast(lowest) => z.max(lowest.into()),
            Curve::Threshold(least) => {
                if z > f64::from(least) {
                    z
                } else {
                    0.0
                }
            }
            Curve::HardShrink(lambda) => {
                if z.abs() > f64::from(lambda) {
                    z
                } else {
                    0.0
                }
            }
            Curve::SoftShrink(lambda) => z.signum() * (z.abs() - f64::from(lambda)).max(0.0),
            Curve::TanhShrink => z - z.tanh(),
            Curve::Abs => z.abs(),
            Curve::Square => z * z,
        }
    }

    /// Returns the name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Curve::LeakyRelu(_) => "leaky ReLU of another slope than 0.01",
            Curve::Elu(_) => "ELU",
            Curve::Selu => "SELU",
            Curve::Gelu => "GELU",
            Curve::GeluTanh => "GELU by tanh",
            Curve::Silu => "SiLU",
            Curve::HardSwish => "hard swish",
            Curve::HardSigmoid(..) => "hard sigmoid",
            Curve::Softplus => "softplus",
            Curve::Softsign => "softsign",
            Curve::Exponential => "exponential",
            Curve::Mish => "Mish",
            Curve::LogSigmoid => "log-sigmoid",
            Curve::Clip(..) => "clip",
            Curve::AtLeast(_) => "maximum with a constant",
            Curve::Threshold(_) => "thresholded ReLU",
            Curve::HardShrink(_) => "hard shrink",
            Curve::SoftShrink(_) => "soft shrink",
            Curve::TanhShrink => "tanh shrink",
            Curve::Abs => "absolute value",
            Curve::Square => "square",
        }
    }

    /// Returns true if the constants of the activation are finite.
    pub(crate) fn is_finite(self) -> bool {
        match self {
            Curve::LeakyRelu(a)
            | Curve::Elu(a)
            | Curve::AtLeast(a)
            | Curve::Threshold(a)
            | Curve::HardShrink(a)
            | Curve::SoftShrink(a) => a.is_finite(),
            Curve::HardSigmoid(a, b) | Curve::Clip(a, b) => a.is_finite() && b.is_finite(),
            _ => true,
        }
    }
}
