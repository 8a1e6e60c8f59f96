//! The training of one group of lanes.

use std::ops::ControlFlow;

use fearless_simd::prelude::*;
use microdistill::layer::Role;
use microdistill::optimizer::{AdamRates, Corrections};
use microdistill::schedule::{HalfCosine, Schedule as _};

use super::super::Settings;
use super::super::sampler::Order;
use super::super::samples::Samples;
use super::super::train::{Trained, begin};
use super::Lane;
use super::layer::{BLOCK, Block, Layer, Step, Steps, Tensor};
use super::loss::{Kind, Loss};
use crate::error::Result;
use crate::network::{Activation, Network};

/// What a group of lanes is trained on.
#[derive(Clone, Copy)]
pub(super) struct Group<'g, 'a> {
    pub settings: &'g Settings,
    pub kind: Kind,
    /// As many as a vector holds, or fewer.
    pub lanes: &'g [Lane<'a>],
    pub samples: Samples<'a>,
    /// Weights of the classes in the loss.
    pub by_class: Option<&'g [f32]>,
}

impl Group<'_, '_> {
    /// Trains the lanes. Returns none for a lane whose numbers became so large that its training may have diverged.
    ///
    /// # Errors
    /// Fails if the blend does not fit the rows.
    #[inline(always)]
    pub(super) fn train<S: Simd>(
        self,
        simd: S,
        flow: &(dyn Fn() -> ControlFlow<()> + Sync),
    ) -> Result<Vec<Option<Trained>>> {
        let Group { settings, kind, lanes, samples, by_class } = self;
        // The random numbers that follow are those of every lane.
        let mut rng = begin(settings, None)?.1;
        let networks = lanes.iter().map(|lane| Ok(begin(settings, lane.start)?.0));
        let networks = networks.collect::<Result<Vec<Network>>>()?;
        let mut order = Order::new(samples.x.ncols(), settings.blend)?;
        let (epochs, steps) =
            (settings.training.epochs(order.samples()), settings.training.steps(order.samples()));
        let mut training = Training {
            simd,
            activation: settings.training.activation,
            layers: layers(simd, &networks),
            loss: Loss::new(simd, kind, lanes, samples, by_class),
            tape: vec![Vec::new(); networks[0].layers().len()],
            gradients: vec![Vec::new(); networks[0].layers().len()],
            x: Vec::new(),
            by_block: Vec::new(),
        };
        let schedule = HalfCosine { steps };
        let (mut corrections, mut update, mut epoch) = (Corrections::ZERO, 0, 0);
        while epoch < epochs {
            epoch += 1;
            order.draw(&mut rng);
            for rows in order.pass().chunks(settings.training.batch) {
                training.gather(samples, rows);
                training.forward();
                training.differentiate(rows);
                let share = schedule.share(update);
                corrections.advance(&settings.training.rates);
                let factors = |role, lane: usize| {
                    let lane = &lanes[lane.min(lanes.len() - 1)];
                    let rates = AdamRates { rate: lane.rate * share, ..lane.rates(settings) };
                    rates.factors(role, &corrections, 1.0 / rows.len() as f32)
                };
                let step = |role| {
                    Step::new(simd, &core::array::from_fn::<_, MOST_LANES, _>(|lane| factors(role, lane)))
                };
                training
                    .backward(rows.len(), &Steps { weights: step(Role::Weights), bias: step(Role::Bias) });
                update += 1;
            }
            if flow().is_break() {
                break;
            }
        }
        Ok(networks
            .into_iter()
            .enumerate()
            .map(|(lane, network)| training.trained(lane, network, epoch))
            .collect())
    }
}

/// Copies the parameters of networks of the same shape to lanes; those beyond repeat the last network.
fn layers<S: Simd>(simd: S, networks: &[Network]) -> Vec<Layer<S>> {
    let mut tensors = Vec::new();
    for (lane, network) in (0..S::f32s::LEN).map(|lane| (lane, &networks[lane.min(networks.len() - 1)])) {
        for (index, (_, tensor)) in network.tensors().enumerate() {
            if lane == 0 {
                tensors.push(vec![S::f32s::splat(simd, 0.0); tensor.len()]);
            }
            tensors[index].iter_mut().zip(tensor).for_each(|(to, &from)| to.as_mut_slice()[lane] = from);
        }
    }
    let mut tensors = tensors.into_iter().map(|values| Tensor::new(simd, values));
    let layer =
        |(inputs, outputs)| Some(Layer { inputs, outputs, weights: tensors.next()?, bias: tensors.next()? });
    let shapes = networks[0].layers().iter().map(|layer| (layer.inputs(), layer.outputs()));
    shapes.map_while(layer).collect()
}

/// State of a training. Samples of a batch are filled up to whole blocks.
struct Training<'a, S: Simd> {
    simd: S,
    activation: Activation,
    layers: Vec<Layer<S>>,
    loss: Loss<'a, S>,
    /// Outputs of each layer, sample by sample.
    tape: Vec<Vec<S::f32s>>,
    /// Gradients of these outputs, or of what they are before the activation.
    gradients: Vec<Vec<S::f32s>>,
    /// Inputs of the batch, sample by sample, in blocks of inputs.
    x: Vec<Block>,
    /// Inputs of the batch, in blocks of samples.
    by_block: Vec<Block>,
}

impl<S: Simd> Training<'_, S> {
    /// Copies the inputs of the rows of a batch.
    #[inline(always)]
    fn gather(&mut self, samples: Samples<'_>, rows: &[usize]) {
        let inputs = samples.x.nrows();
        let (blocks, count) = (inputs.div_ceil(BLOCK), rows.len().next_multiple_of(BLOCK));
        self.x.clear();
        self.by_block.clear();
        self.x.resize(blocks * rows.len(), [0.0; BLOCK]);
        self.by_block.resize(inputs * count / BLOCK, [0.0; BLOCK]);
        for (sample, &row) in rows.iter().enumerate() {
            let x = &samples.x.as_slice()[row * inputs..][..inputs];
            self.x[sample * blocks..][..blocks].as_flattened_mut()[..inputs].copy_from_slice(x);
            let block = &mut self.by_block[sample / BLOCK * inputs..][..inputs];
            for (to, &x) in block.iter_mut().zip(x) {
                to[sample % BLOCK] = x;
            }
        }
        let zero = S::f32s::splat(self.simd, 0.0);
        for ((layer, tape), gradient) in self.layers.iter().zip(&mut self.tape).zip(&mut self.gradients) {
            tape.resize(count * layer.outputs, zero);
            gradient.resize(count * layer.outputs, zero);
        }
    }

    #[inline(always)]
    fn forward(&mut self) {
        for (index, layer) in self.layers.iter().enumerate() {
            let (before, after) = self.tape.split_at_mut(index);
            let y = &mut after[0];
            match before.last() {
                None => layer.first_forward(self.simd, &self.by_block, y),
                Some(x) => layer.forward(x, y),
            }
            if index + 1 < self.layers.len() {
                activate(self.simd, self.activation, y);
            }
        }
    }

    /// Computes the gradients of the outputs.
    #[inline(always)]
    fn differentiate(&mut self, rows: &[usize]) {
        let (Some(z), Some(dz), Some(layer)) =
            (self.tape.last(), self.gradients.last_mut(), self.layers.last())
        else {
            return;
        };
        let samples = z.chunks_exact(layer.outputs).zip(dz.chunks_exact_mut(layer.outputs));
        for (&row, (z, dz)) in rows.iter().zip(samples) {
            self.loss.gradient(self.simd, row, z, dz);
        }
    }

    /// Passes the gradients down and moves the parameters of each layer by those of `samples` samples.
    #[inline(always)]
    fn backward(&mut self, samples: usize, steps: &Steps<S>) {
        for (index, layer) in self.layers.iter_mut().enumerate().rev() {
            let (below, above) = self.gradients.split_at_mut(index);
            let dz = &above[0];
            let of_batch = &dz[..samples * layer.outputs];
            match below.last_mut().zip(self.tape[..index].last()) {
                None => layer.first_update(self.simd, &self.x, of_batch, steps),
                Some((dx, x)) => {
                    layer.input_gradient(self.simd, dz, dx);
                    through_activation(self.simd, self.activation, x, dx);
                    layer.update(self.simd, x, of_batch, steps);
                }
            }
        }
    }

    /// Returns the network of a lane, unless its numbers became too large.
    fn trained(&self, lane: usize, mut network: Network, epoch: usize) -> Option<Trained> {
        let tensors = self.layers.iter().flat_map(|layer| [&layer.weights, &layer.bias]);
        for ((_, to), from) in network.tensors_mut().zip(tensors) {
            to.iter_mut().zip(&from.values).for_each(|(to, from)| *to = from.as_slice()[lane]);
        }
        let finite = network.parameter_values().all(f32::is_finite);
        (finite && self.loss.is_tame(lane)).then_some(Trained { network, epoch })
    }
}

/// Applies the activation of hidden layers.
#[inline(always)]
fn activate<S: Simd>(simd: S, activation: Activation, z: &mut [S::f32s]) {
    let zero = S::f32s::splat(simd, 0.0);
    for z in z {
        if activation == Activation::Relu {
            *z = z.simd_lt(zero).select(zero, *z);
        } else {
            activation.apply(z.as_mut_slice());
        }
    }
}

/// From the gradient of the outputs `y` of an activation to that of its inputs.
#[inline(always)]
fn through_activation<S: Simd>(simd: S, activation: Activation, y: &[S::f32s], dy: &mut [S::f32s]) {
    let zero = S::f32s::splat(simd, 0.0);
    for (dy, y) in dy.iter_mut().zip(y) {
        if activation == Activation::Relu {
            *dy = y.simd_eq(zero).select(zero, *dy);
        } else {
            activation.backward(y.as_slice(), dy.as_mut_slice());
        }
    }
}

/// Lanes of the widest vectors.
const MOST_LANES: usize = 16;
