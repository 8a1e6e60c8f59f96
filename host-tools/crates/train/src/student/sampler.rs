//! Order of the training rows: all shuffled together, or in batches with a fixed share of further rows.

use rand_core::Rng;

use crate::error::{Error, Result};
use crate::random::{below, shuffle};

/// Share of further rows in a training set. Further rows follow the data's own rows, as
/// [`with_unlabelled`](crate::dataset::Dataset::with_unlabelled) puts them.
///
/// A pass visits each own row once. The further rows mixed among them are drawn from a shuffled deck that lasts from
/// pass to pass, so each is used as often as any other, or once more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blend {
    /// Number of own rows, which come first: at least 1 and less than the number of all rows.
    pub own: usize,
    /// Share of further rows in each batch, in (0, 1). A batch of `n` samples has `share·n` of them, rounded up or
    /// down.
    pub share: f64,
}

/// Upper limit of samples per pass. More than these come from a share too close to 1.
const MOST_SAMPLES: usize = 1 << 26;

impl Blend {
    /// Number of samples per pass: own rows and the further rows mixed among them.
    pub fn samples(self) -> usize {
        self.own.saturating_add(self.beside(self.own))
    }

    /// Number of further rows mixed among the first `own` own rows. They are spread evenly, so that the share holds
    /// in every batch.
    fn beside(self, own: usize) -> usize {
        (own as f64 * self.share / (1.0 - self.share)).round() as usize
    }

    fn check(self, rows: usize) -> Result<()> {
        let Blend { own, share } = self;
        if !(share > 0.0 && share < 1.0) {
            return Err(Error::Invalid(format!(
                "share of further rows {share}: it must be above 0 and below 1"
            )));
        }
        if own == 0 || own >= rows {
            return Err(Error::Invalid(format!(
                "a share of further rows needs both kinds of rows, but {own} of {rows} rows are the data's own: \
                 add unlabelled or synthetic rows, or leave the share out"
            )));
        }
        if self.samples() > MOST_SAMPLES {
            return Err(Error::Invalid(format!(
                "share of further rows {share}: a pass over {own} rows would have more than {MOST_SAMPLES} samples; \
                 take a smaller share"
            )));
        }
        Ok(())
    }
}

/// Sampler of the training rows: a new order for each pass.
pub(super) struct Order {
    /// Own rows; all rows if nothing is blended.
    own: Vec<usize>,
    further: Option<Further>,
    pass: Vec<usize>,
}

/// Deck of further rows, drawn one by one.
struct Further {
    blend: Blend,
    rows: Vec<usize>,
    /// Number drawn since the last shuffle.
    drawn: usize,
}

impl Order {
    /// Creates a sampler of `rows` rows. Without a blend, all are shuffled together.
    ///
    /// # Errors
    /// Fails if the share is out of range, if all rows are of one kind, or if a pass has too many samples.
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

    /// Number of samples per pass.
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

    /// Returns the row indices of the current pass.
    pub(super) fn pass(&self) -> &[usize] {
        &self.pass
    }

    /// Draws the row to mix another one with (mixup). Own and further rows are as frequent as in a pass.
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

    /// Returns the first `count` passes of a training.
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
            // The deck of further rows lasts from pass to pass.
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
            (5, 9, 0.0, "share of further rows 0: it must be above 0 and below 1"),
            (5, 9, 1.0, "share of further rows 1: it must"),
            (5, 9, -0.5, "share of further rows -0.5: it must"),
            (5, 9, f64::NAN, "share of further rows NaN: it must"),
            (
                9,
                9,
                0.5,
                "a share of further rows needs both kinds of rows, but 9 of 9 rows are the data's own: add",
            ),
            (
                0,
                9,
                0.5,
                "a share of further rows needs both kinds of rows, but 0 of 9 rows are the data's own",
            ),
            (
                5,
                9,
                1.0 - 1e-9,
                "a pass over 5 rows would have more than 67108864 samples; take a smaller share",
            ),
            (5, 9, 1.0 - f64::EPSILON / 2.0, "would have more than"),
        ] {
            let error = Order::new(rows, Some(Blend { own, share })).err().unwrap().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
