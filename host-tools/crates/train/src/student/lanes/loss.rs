//! The losses in lanes: gradients in the logits, by the operations of the core's losses in their order.
//!
//! The losses themselves are not computed. What they are asked for, whether a training diverged, is answered by the size of the
//! logits: see [`Loss::is_tame`].

use std::borrow::Cow;

use fearless_simd::prelude::*;
use microdistill::loss::{self, Centered, Head as _, SoftLabels};
use nalgebra::DMatrix;

use super::super::recipe::Recipe;
use super::super::samples::{Samples, Weights};
use super::Lane;
use super::exp::exp;
use crate::outputs::TeacherOutputs;

/// A loss up to numbers that may differ from lane to lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Cross-entropy with the labels.
    Hard,
    /// Soft labels.
    Soft,
    /// Squared differences of probabilities.
    Probabilities,
    /// Squared differences of centered logits.
    Logits,
    /// Squared differences of values.
    Values,
}

impl Kind {
    /// Returns none for a loss that lanes do not have.
    pub(super) fn of(recipe: Recipe) -> Option<Self> {
        match recipe {
            Recipe::HardLabels => Some(Kind::Hard),
            Recipe::SoftLabels(_) => Some(Kind::Soft),
            Recipe::OutputMse => Some(Kind::Probabilities),
            Recipe::LogitMse => Some(Kind::Logits),
            Recipe::ValueMse => Some(Kind::Values),
            Recipe::Decoupled(_) => None,
        }
    }
}

/// The loss of a group of lanes.
pub(super) struct Loss<'a, S: Simd> {
    kind: Kind,
    labels: &'a [Option<usize>],
    /// What the outputs are compared with: probabilities, logits or values, shape (outputs × rows). Lanes with the same teacher and
    /// temperature share one.
    tables: Vec<Cow<'a, DMatrix<f32>>>,
    /// The table of each lane.
    table_of: Vec<usize>,
    weights: Vec<Weights<'a>>,
    temperature: S::f32s,
    /// True if a temperature is not 1.
    tempered: bool,
    /// α·T
    soft_share: S::f32s,
    /// 1 − α, the share of the cross-entropy with the label.
    hard_share: S::f32s,
    /// True if such a share is not zero.
    hard: bool,
    /// ε times the share of the label.
    smoothing: S::f32s,
    /// True if one is not zero.
    smoothed: bool,
    /// Size of the logits up to which the loss is finite.
    limit: S::f32s,
    /// True for the lanes whose logits stayed below.
    tame: S::mask32s,
    /// Room for probabilities, one an output.
    work: Vec<S::f32s>,
}

/// The numbers of one lane.
struct Terms<'a> {
    temperature: f32,
    alpha: f32,
    smoothing: f32,
    weights: Weights<'a>,
    table: usize,
    limit: f32,
}

impl<'a> Terms<'a> {
    fn of(
        lane: &Lane<'a>,
        samples: Samples<'a>,
        by_class: Option<&'a [f32]>,
        tables: &mut Tables<'a>,
    ) -> Self {
        let samples = lane.samples(samples);
        let (temperature, alpha) = match lane.recipe {
            Recipe::SoftLabels(SoftLabels { temperature, alpha }) => (temperature, alpha),
            _ => (1.0, 0.0),
        };
        let weights = samples.weights(by_class);
        let (table, size) = match tables.kind {
            Kind::Hard => (0, 0.0),
            _ => tables.find(samples, lane.recipe, temperature),
        };
        let weight = (1.0 + largest(weights.by_class)) * (1.0 + largest(weights.by_row));
        let bound = (1.0 + temperature + 1.0 / temperature).powi(2) * weight * (1.0 + size);
        let limit = if bound < 1e15 { 1e15 / bound } else { 0.0 };
        let smoothing = lane.label_smoothing * lane.recipe.label_share();
        Terms { temperature, alpha, smoothing, weights, table, limit }
    }
}

/// What outputs are compared with, once for all lanes with the same teacher and temperature.
struct Tables<'a> {
    kind: Kind,
    known: Vec<Table<'a>>,
}

struct Table<'a> {
    teacher: Option<&'a TeacherOutputs>,
    temperature: f32,
    table: Cow<'a, DMatrix<f32>>,
    /// The largest size of the teacher's outputs; infinite if one is not finite.
    size: f32,
}

impl<'a> Tables<'a> {
    /// Returns the place of the table and the largest size of the teacher's outputs.
    fn find(&mut self, samples: Samples<'a>, recipe: Recipe, temperature: f32) -> (usize, f32) {
        let same = |known: &Table<'_>| {
            known.temperature == temperature
                && known.teacher.map(std::ptr::from_ref) == samples.teacher.map(std::ptr::from_ref)
        };
        let place = self.known.iter().position(same).unwrap_or_else(|| {
            let outputs = samples.teacher_at(recipe);
            let size = largest(Some(outputs.as_slice()));
            let table = table(self.kind, outputs, temperature);
            self.known.push(Table { teacher: samples.teacher, temperature, table, size });
            self.known.len() - 1
        });
        (place, self.known[place].size)
    }
}

impl<'a, S: Simd> Loss<'a, S> {
    /// The loss of these lanes, at most as many as a vector holds. The lanes beyond repeat the last one.
    pub(super) fn new(
        simd: S,
        kind: Kind,
        lanes: &[Lane<'a>],
        samples: Samples<'a>,
        by_class: Option<&'a [f32]>,
    ) -> Self {
        let mut tables = Tables { kind, known: Vec::new() };
        let lanes: Vec<Terms<'a>> =
            lanes.iter().map(|lane| Terms::of(lane, samples, by_class, &mut tables)).collect();
        let of = |lane: usize| &lanes[lane.min(lanes.len() - 1)];
        let each = |value: fn(&Terms<'a>) -> f32| S::f32s::from_fn(simd, |lane| value(of(lane)));
        let zero = S::f32s::splat(simd, 0.0);
        Loss {
            kind,
            labels: samples.labels,
            table_of: (0..S::f32s::LEN).map(|lane| of(lane).table).collect(),
            weights: (0..S::f32s::LEN).map(|lane| of(lane).weights).collect(),
            temperature: each(|terms| terms.temperature),
            tempered: lanes.iter().any(|terms| terms.temperature != 1.0),
            soft_share: each(|terms| terms.alpha * terms.temperature),
            hard_share: each(|terms| 1.0 - terms.alpha),
            hard: lanes.iter().any(|terms| terms.alpha != 1.0),
            smoothing: each(|terms| terms.smoothing),
            smoothed: lanes.iter().any(|terms| terms.smoothing > 0.0),
            limit: each(|terms| terms.limit),
            tame: zero.simd_eq(zero),
            work: Vec::new(),
            tables: tables.known.into_iter().map(|known| known.table).collect(),
        }
    }

    /// Returns true if the losses of a lane were finite so far, by a bound far below the largest number. What is not tame need not
    /// have diverged.
    pub(super) fn is_tame(&self, lane: usize) -> bool {
        self.tame.test(lane)
    }

    /// Writes ∂L/∂z of a row to `dz`.
    #[inline(always)]
    pub(super) fn gradient(&mut self, simd: S, row: usize, z: &[S::f32s], dz: &mut [S::f32s]) {
        self.work.resize(z.len(), S::f32s::splat(simd, 0.0));
        for &z in z {
            self.tame &= z.abs().simd_lt(self.limit);
        }
        match self.kind {
            Kind::Hard | Kind::Soft => self.classes(simd, row, z, dz),
            Kind::Probabilities | Kind::Logits | Kind::Values => self.squares(simd, row, z, dz),
        }
        if self.weights.iter().any(|weights| weights.by_class.is_some() || weights.by_row.is_some()) {
            let label = self.labels[row];
            let factor = |lane: usize| self.weights[lane].of(row, label).unwrap_or(1.0);
            let factors = S::f32s::from_fn(simd, factor);
            for dz in dz {
                *dz *= factors;
            }
        }
    }

    #[inline(always)]
    fn classes(&mut self, simd: S, row: usize, z: &[S::f32s], dz: &mut [S::f32s]) {
        let label = self.labels[row];
        let one = S::f32s::splat(simd, 1.0);
        let mut work = std::mem::take(&mut self.work);
        softmax(simd, z, self.tempered.then_some(self.temperature), dz);
        if self.kind == Kind::Soft {
            // At T = 1, the probabilities of both terms are the same.
            if label.is_some() && self.hard {
                if self.tempered {
                    softmax(simd, z, None, &mut work);
                } else {
                    work.copy_from_slice(dz);
                }
            }
            for (output, dz) in dz.iter_mut().enumerate() {
                *dz = self.soft_share * (*dz - self.target(simd, row, output));
            }
            if let Some(label) = label.filter(|_| self.hard) {
                work[label] -= one;
                for (dz, &hard) in dz.iter_mut().zip(&work) {
                    *dz += self.hard_share * hard;
                }
            }
        } else if let Some(label) = label {
            dz[label] -= one;
        }
        if let Some(label) = label.filter(|_| self.smoothed) {
            dz[label] += self.smoothing;
            let others = self.smoothing / S::f32s::splat(simd, dz.len() as f32);
            for dz in dz {
                *dz -= others;
            }
        }
        self.work = work;
    }

    #[inline(always)]
    fn squares(&mut self, simd: S, row: usize, z: &[S::f32s], dz: &mut [S::f32s]) {
        let zero = S::f32s::splat(simd, 0.0);
        let outputs = S::f32s::splat(simd, z.len() as f32);
        let mut work = std::mem::take(&mut self.work);
        match self.kind {
            Kind::Probabilities => softmax(simd, z, None, &mut work),
            _ => work.copy_from_slice(z),
        }
        if self.kind == Kind::Logits {
            center(zero, outputs, &mut work);
        }
        for (output, (dz, &y)) in dz.iter_mut().zip(&work).enumerate() {
            *dz = S::f32s::splat(simd, 2.0) * (y - self.target(simd, row, output)) / outputs;
        }
        match self.kind {
            Kind::Probabilities => {
                let mut mean = zero;
                for (&y, &dy) in work.iter().zip(dz.iter()) {
                    mean += y * dy;
                }
                for (dy, &y) in dz.iter_mut().zip(&work) {
                    *dy = y * (*dy - mean);
                }
            }
            Kind::Logits => center(zero, outputs, dz),
            _ => {}
        }
        self.work = work;
    }

    /// What the lanes' outputs are compared with.
    #[inline(always)]
    fn target(&self, simd: S, row: usize, output: usize) -> S::f32s {
        if let [table] = self.tables.as_slice() {
            return S::f32s::splat(simd, table[(output, row)]);
        }
        S::f32s::from_fn(simd, |lane| self.tables[self.table_of[lane]][(output, row)])
    }
}

/// What outputs are compared with: the teacher's outputs through the same head.
fn table(kind: Kind, teacher: Cow<'_, DMatrix<f32>>, temperature: f32) -> Cow<'_, DMatrix<f32>> {
    if kind == Kind::Values {
        return teacher;
    }
    let mut teacher = teacher.into_owned();
    let outputs = teacher.nrows().max(1);
    for row in teacher.as_mut_slice().chunks_exact_mut(outputs) {
        if kind == Kind::Logits {
            Centered::apply(row);
        } else {
            loss::softmax(row, temperature);
        }
    }
    Cow::Owned(teacher)
}

/// The largest size; infinite if a number is not finite.
fn largest(values: Option<&[f32]>) -> f32 {
    let values = values.unwrap_or_default();
    values
        .iter()
        .fold(0.0, |top: f32, value| if value.is_finite() { top.max(value.abs()) } else { f32::INFINITY })
}

/// `y ← softmax(z / T)`
#[inline(always)]
fn softmax<S: Simd>(simd: S, z: &[S::f32s], temperature: Option<S::f32s>, y: &mut [S::f32s]) {
    let mut top = z[0];
    for &z in z {
        top = z.simd_gt(top).select(z, top);
    }
    let mut sum = S::f32s::splat(simd, 0.0);
    for (y, &z) in y.iter_mut().zip(z) {
        let below = z - top;
        *y = exp(simd, temperature.map_or(below, |temperature| below / temperature));
        sum += *y;
    }
    for y in y {
        *y /= sum;
    }
}

/// Subtracts the mean.
#[inline(always)]
fn center<V: SimdFloat<S, Element = f32>, S: Simd>(zero: V, count: V, values: &mut [V]) {
    let mut mean = zero;
    for &value in values.iter() {
        mean += value;
    }
    mean /= count;
    for value in values {
        *value -= mean;
    }
}
