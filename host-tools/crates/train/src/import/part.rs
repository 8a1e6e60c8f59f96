//! Trained part of a network, identified by the fingerprint of what a device keeps.

use std::collections::HashMap;

use microdistill::checkpoint::record::Header;
use microdistill::fingerprint;
use serde::Serialize;

use crate::network::{Dense, Network};

/// Trained part of a layer, in the words of [`FineTuned`](microdistill::FineTuned).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Trained {
    /// The layer stays as it was shipped.
    Frozen,
    /// The bias is trained, the weights stay.
    Biases,
    /// Weights and bias are trained.
    Trained,
}

const HOW: [Trained; 3] = [Trained::Frozen, Trained::Biases, Trained::Trained];

/// Maximum number of layers whose parts are tried. Each further layer triples the number of parts.
const MOST_LAYERS: usize = 10;

impl Trained {
    fn fingerprint(self, layer: &Dense) -> u32 {
        match self {
            Trained::Frozen => fingerprint::frozen(layer.fingerprint()),
            Trained::Biases => fingerprint::bias_only(layer.fingerprint()),
            Trained::Trained => layer.fingerprint(),
        }
    }

    /// Returns whether the weights and whether the bias are trained.
    pub(super) fn tensors(self) -> [bool; 2] {
        [self == Trained::Trained, self != Trained::Frozen]
    }
}

/// Parts of a network that a device may train, by fingerprint.
pub(super) struct Parts<'a> {
    network: &'a Network,
    by_fingerprint: HashMap<u32, Vec<Trained>>,
}

impl<'a> Parts<'a> {
    /// Lists the whole network and, if it has at most ten layers, each of its parts.
    pub(super) fn of(network: &'a Network) -> Self {
        let layers = network.layers();
        let all = (vec![Trained::Trained; layers.len()], network.fingerprint());
        let parts = if layers.len() > MOST_LAYERS { Vec::new() } else { parts(layers) };
        let parts = parts.into_iter().chain([all]).map(|(part, fingerprint)| (fingerprint, part));
        Parts { network, by_fingerprint: parts.collect() }
    }

    /// Returns the part that a record with this header belongs to.
    pub(super) fn find(&self, header: &Header) -> Option<&[Trained]> {
        let part = self.by_fingerprint.get(&header.fingerprint)?;
        let tensors = part.iter().flat_map(|how| how.tensors()).zip(self.network.tensors());
        let parameters: usize =
            tensors.filter(|(trained, _)| *trained).map(|(_, (_, tensor))| tensor.len()).sum();
        (parameters > 0 && u32::try_from(parameters) == Ok(header.parameters)).then_some(part)
    }
}

/// Lists the parts that [`FineTuned`](microdistill::FineTuned) can build. The layers after its last word are frozen,
/// or trained, together.
fn parts(layers: &[Dense]) -> Vec<(Vec<Trained>, u32)> {
    let Some((first, rest)) = layers.split_first() else { return Vec::new() };
    if rest.is_empty() {
        return HOW.map(|how| (vec![how], how.fingerprint(first))).into();
    }
    let one = |rest: &[Dense]| {
        rest.iter()
            .rev()
            .fold(fingerprint::NOTHING, |rest, layer| fingerprint::chain(layer.fingerprint(), rest))
    };
    let frozen = (vec![Trained::Frozen; layers.len()], fingerprint::frozen(one(layers)));
    let rest = parts(rest);
    let split = HOW.iter().flat_map(|how| {
        rest.iter().map(|(part, fingerprint)| {
            let fingerprint = fingerprint::chain(how.fingerprint(first), *fingerprint);
            ([&[*how], part.as_slice()].concat(), fingerprint)
        })
    });
    split.chain([frozen]).collect()
}
