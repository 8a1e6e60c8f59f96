//! In which order a student meets rows: shuffled together, or each batch with its share of further ones.

use rand_core::Rng;

use crate::error::{Error, Result};
use crate::random::{below, shuffle};

/// How many of the rows that a student learns from are further ones, as
/// [`with_unlabelled`](crate::dataset::Dataset::with_unlabelled) puts them behind the data's. A pass goes once over the
/// data's rows; the further ones beside them are drawn from a shuffled deck that lasts over the passes, so that each
/// serves as often as any other, or once more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blend {
    /// Rows of the data, which come first: at least one, and not all.
    pub own: usize,
    /// Share of the further rows in each batch, in (0, 1): of `n` samples `share·n`, rounded up or down.
    pub share: f64,
}

/// More samples a pass are a share too close to 1, not a training.
const MOST_SAMPLES: usize = 1 << 26;

impl Blend {
    /// Samples of a pass: the data's rows and the further ones between them.
    pub fn samples(self) -> usize {
        self.own.saturating_add(self.beside(self.own))
    }

    /// Number of further rows mixed among the first `own` rows of the data: evenly, so that the share holds
    /// in any batch.
    fn beside(self, own: usize) -> usize {
        (own as f64 * self.share / (1.0 - self.share)).round() as usize
    }

    fn check(self, rows: usize) -> Result<()> {
        let Blend { own, share } = self;
        if !(share > 0.0 && share < 1.0) {
            return Err(Error::Invalid(format!(
                "a share of further rows of {share}: it must be above 0 and below 1"
            )));
        }
        if own == 0 || own >= rows {
            return Err(Error::Invalid(format!(
                "a share of further rows where {own} of {rows} rows are the data's: both kinds are needed"
            )));
        }
        if self.samples() > MOST_SAMPLES {
            return Err(Error::Invalid(format!(
                "a share of further rows of {share} makes a pass over {own} rows longer than {MOST_SAMPLES} samples: take \
                 a smaller share"
            )));
        }
        Ok(())
    }
}

/// The rows of a pass, in a new order each time.
pub(super) struct Order {
    /// Rows of the data: all of them, if nothing is blended.
    own: Vec<usize>,
    further: Option<Further>,
    pass: Vec<usize>,
}

/// Rows that are drawn one by one.
struct Further {
    blend: Blend,
    rows: Vec<usize>,
    /// Number drawn since the last shuffle.
    drawn: usize,
}

impl Order {
    /// A sampler of `rows` rows. Without a blend, all are shuffled together.
    ///
    /// # Errors
    /// A share out of its range, rows of one kind alone, or too many samples a pass.
    pub(super) fn new(rows: usize, blend: Option<Blend>) -> Result<Self> {
        let Some(blend) = blend else {
            return Ok(Order { own: (0..rows).collect(), further: None, pass: Vec::with_capacity(rows) });
        };
        blend.check(rows)?;
        let further: Vec<usize> = (blend.own..rows).collect();
        Ok(Order {
            own: (0..blend.own).collect(),
            further: Some(Further { blend, drawn: further.len(), rows: further }),
            pass: Vec::with_capacity(blend.samples()),
        })
    }

    /// Samples of a pass.
    pub(super) fn samples(&self) -> usize {
        self.further.as_ref().map_or(self.own.len(), |further| further.blend.samples())
    }

    /// Draws the next pass.
    pub(super) fn draw(&mut self, rng: &mut impl Rng) {
        shuffle(&mut self.own, rng);
        self.pass.clear();
        for (index, &row) in self.own.iter().enumerate() {
            self.pass.push(row);
            if let Some(further) = &mut self.further {
                let due = further.blend.beside(index + 1) - further.blend.beside(index);
                self.pass.extend((0..due).map(|_| further.next(rng)));
            }
        }
    }

    /// The rows of the pass that was drawn.
    pub(super) fn pass(&self) -> &[usize] {
        &self.pass
    }

    /// A row to mix another one with, of each kind as often as in a pass.
    pub(super) fn partner(&self, rng: &mut impl Rng) -> usize {
        match self.further {
            None => below(self.own.len(), rng),
            Some(_) => self.pass[below(self.pass.len(), rng)],
        }
    }
}

impl Further {
    fn next(&mut self, rng: &mut impl Rng) -> usize {
        if self.drawn == self.rows.len() {
            shuffle(&mut self.rows, rng);
            self.drawn = 0;
        }
        self.drawn += 1;
        self.rows[self.drawn - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_pcg::Pcg32;

    /// The passes of a training, one behind the other.
    fn passes(rows: usize, blend: Option<Blend>, count: usize) -> Vec<Vec<usize>> {
        let (mut order, rng) = (Order::new(rows, blend).unwrap(), &mut Pcg32::new(1, 1));
        let mut pass = || {
            order.draw(rng);
            assert_eq!(order.pass().len(), order.samples());
            order.pass().to_vec()
        };
        (0..count).map(|_| pass()).collect()
    }

    #[test]
    fn a_batch_has_its_share_and_a_pass_every_row_of_the_data() {
        for (own, rows, share, batch) in [
            (96, 100, 0.25, 32),
            (64, 100, 0.7, 7),
            (50, 5000, 0.5, 32),
            (64, 100, 0.5, 5),
            (7, 9, 0.9, 1),
            (300, 400, 0.013, 32),
        ] {
            let passes = passes(rows, Some(Blend { own, share }), 9);
            for pass in &passes {
                let mut of_data: Vec<usize> = pass.iter().copied().filter(|row| *row < own).collect();
                of_data.sort_unstable();
                assert!(of_data.into_iter().eq(0..own), "{share} of {rows}");
                for batch in pass.chunks(batch) {
                    let further = batch.iter().filter(|row| **row >= own).count() as f64;
                    let wanted = share * batch.len() as f64;
                    let range = wanted.floor()..=wanted.ceil();
                    assert!(range.contains(&further), "{further} of {}, {share}", batch.len());
                }
            }
            // The deck of further rows lasts over the passes.
            let mut counts = vec![0; rows - own];
            passes.concat().into_iter().filter(|row| *row >= own).for_each(|row| counts[row - own] += 1);
            assert!(counts.iter().max() <= counts.iter().min().map(|least| least + 1).as_ref(), "{counts:?}");
            assert_ne!(passes[0], passes[1]);
        }
    }

    #[test]
    fn without_a_blend_all_rows_are_shuffled_in_place() {
        let (mut rows, rng) = ((0..40).collect::<Vec<_>>(), &mut Pcg32::new(1, 1));
        for pass in passes(40, None, 3) {
            shuffle(&mut rows, rng);
            assert_eq!(pass, rows);
        }
        let order = Order::new(40, None).unwrap();
        let again = &mut rng.clone();
        assert!((0..20).all(|_| order.partner(rng) == below(40, again)));
    }

    #[test]
    fn partners_are_of_each_kind_as_often_as_in_a_pass() {
        let mut order = Order::new(1020, Some(Blend { own: 20, share: 0.25 })).unwrap();
        let rng = &mut Pcg32::new(1, 1);
        let mut further = 0;
        for _ in 0..100 {
            order.draw(rng);
            further += (0..20).filter(|_| order.partner(rng) >= 20).count();
        }
        assert!((450..550).contains(&further), "{further} of 2000");
    }

    #[test]
    fn blends_that_cannot_be_are_refused() {
        for (own, rows, share, message) in [
            (5, 9, 0.0, "a share of further rows of 0: it must be above 0 and below 1"),
            (5, 9, 1.0, "a share of further rows of 1: it must"),
            (5, 9, -0.5, "a share of further rows of -0.5: it must"),
            (5, 9, f64::NAN, "a share of further rows of NaN: it must"),
            (9, 9, 0.5, "a share of further rows where 9 of 9 rows are the data's: both kinds are needed"),
            (0, 9, 0.5, "a share of further rows where 0 of 9 rows are the data's"),
            (5, 9, 1.0 - 1e-9, "makes a pass over 5 rows longer than 67108864 samples: take a smaller share"),
            (5, 9, 1.0 - f64::EPSILON / 2.0, "longer than"),
        ] {
            let error = Order::new(rows, Some(Blend { own, share })).err().unwrap().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
