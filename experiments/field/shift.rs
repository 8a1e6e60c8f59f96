//! Changes of a sensor between the desktop and the field.

use microdistill_train::dataset::Dataset;
use microdistill_train::model::Scaler;

/// A change of raw features that comes from a change of the sensor.
#[derive(Clone, Copy)]
pub(crate) enum Shift {
    /// All measured values are multiplied by `factor`, except the features with these names.
    Gain { factor: f32, except: &'static [&'static str] },
    /// A band of [`ELECTRODES`] is turned: channel `k` gets the features of channel `k + by`.
    Turned { by: usize },
    /// The response of a microphone is tilted by a straight line over the mel bands. Its cosine transform is added to the
    /// cepstrum: `tilt/k²` for odd `k`, where a `tilt` of 1 is the standard deviation of the first coefficient.
    Tilted { tilt: f32 },
}

const ELECTRODES: usize = 8;

impl Shift {
    /// The same shift in the opposite direction.
    pub(crate) fn inverse(self) -> Self {
        match self {
            Shift::Gain { factor, except } => Shift::Gain { factor: 1.0 / factor, except },
            Shift::Turned { by } => Shift::Turned { by: ELECTRODES - by },
            Shift::Tilted { tilt } => Shift::Tilted { tilt: -tilt },
        }
    }

    /// Twice the same shift.
    pub(crate) fn twice(self) -> Self {
        match self {
            Shift::Gain { factor, except } => Shift::Gain { factor: factor * factor, except },
            Shift::Turned { by } => Shift::Turned { by: 2 * by },
            Shift::Tilted { tilt } => Shift::Tilted { tilt: 2.0 * tilt },
        }
    }

    /// Returns `data` as the changed sensor would measure it; `scaler` is that of the training rows.
    pub(crate) fn apply(self, data: &Dataset, scaler: &Scaler) -> Dataset {
        let mut shifted = data.clone();
        let position = |name: &str| data.features.iter().position(|feature| feature == name);
        for (name, mut row) in data.features.iter().zip(shifted.x.row_iter_mut()) {
            match self {
                Shift::Gain { factor, except } => {
                    if !except.contains(&name.as_str()) {
                        row *= factor;
                    }
                }
                Shift::Turned { by } => {
                    let Some((kind, channel)) = name.split_once("_ch") else { continue };
                    let Ok(channel) = channel.parse::<usize>() else { continue };
                    if let Some(other) = position(&format!("{kind}_ch{}", (channel + by) % ELECTRODES)) {
                        row.copy_from(&data.x.row(other));
                    }
                }
                Shift::Tilted { tilt } => {
                    let coefficient = name.strip_prefix("mfcc").and_then(|name| name.split_once('_'));
                    let Some((k, time)) = coefficient else { continue };
                    let (Ok(k), Some(first)) = (k.parse::<u8>(), position(&format!("mfcc1_{time}"))) else {
                        continue;
                    };
                    if k % 2 == 1 {
                        let k = f32::from(k);
                        row.add_scalar_mut(tilt / (scaler.scale[first] * k * k));
                    }
                }
            }
        }
        shifted
    }
}
