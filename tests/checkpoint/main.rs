//! Checkpoints in flash under power cuts: the last checkpoint or the one before it is found, never anything else.
#![cfg(feature = "checkpoint")]

#[path = "../common/mod.rs"]
mod common;
mod flash;

use common::numbers;
use flash::{Fault, Flash, TEARS};
use microdistill::activation::{Identity, Relu, Tanh};
use microdistill::checkpoint::{Checkpoint, Error, record};
use microdistill::layout::{ByInput, ByOutput};
use microdistill::{Chain, Dense, Dropout, Mlp, Params};
use proptest::prelude::*;
use rand_core::Rng;
use rand_pcg::Pcg32;

const VERSION: u32 = 7;

type Small = Mlp![4, 3, 2];
/// A student whose record has eleven parts.
type Wide = Mlp![30, 16, 7];

/// The student of checkpoint `generation`; generation 0 is the shipped student.
fn student<P: Params<Scalar = f32>>(generation: u64) -> P {
    let mut number = numbers(generation);
    let mut student = P::ZERO;
    student.tensors_mut().flat_map(|(_, tensor)| tensor).for_each(|parameter| *parameter = number() as f32);
    student
}

fn checkpoint<const PAGE: usize, const WORD: usize>(
    flash: Flash<PAGE, WORD>,
) -> Checkpoint<Flash<PAGE, WORD>> {
    let range = 0..flash.bytes.len() as u32;
    Checkpoint::new(flash, range, VERSION).unwrap()
}

/// Stores `student` and returns the flash with the result.
fn store<P: Params<Scalar = f32>, const PAGE: usize, const WORD: usize>(
    flash: Flash<PAGE, WORD>,
    student: &P,
) -> (Flash<PAGE, WORD>, Result<(), Error<Fault>>) {
    let mut checkpoint = checkpoint(flash);
    let result = checkpoint.store(student);
    (checkpoint.release(), result)
}

/// Starts a device and returns the generation of the student that it finds, which must be one of `candidates`; 0 is the
/// shipped student.
fn start<P: Params<Scalar = f32> + PartialEq, const PAGE: usize, const WORD: usize>(
    flash: &mut Flash<PAGE, WORD>,
    candidates: impl IntoIterator<Item = u64>,
) -> Option<u64> {
    flash.restart();
    // Reading may repair the flash, which writes to it.
    let mut checkpoint = checkpoint(flash.clone());
    let mut found: P = student(0);
    let learned = checkpoint.load(&mut found).unwrap();
    *flash = checkpoint.release();
    let generation = candidates.into_iter().find(|&generation| found == student(generation))?;
    (learned == (generation > 0)).then_some(generation)
}

/// Cuts the power at every write and erase while each of `stores` students is stored, and tears the operation in every
/// way. Returns the number of cuts.
fn cuts_everywhere<P: Params<Scalar = f32> + PartialEq, const PAGE: usize, const WORD: usize>(
    pages: usize,
    stores: u64,
) -> u64 {
    let (mut flash, mut cuts, mut kept_early) = (Flash::<PAGE, WORD>::new(pages), 0, 0);
    for generation in 1..=stores {
        let new: P = student(generation);
        let (whole, result) = store(flash.clone(), &new);
        assert_eq!(result, Ok(()));
        for operation in 0..whole.operations - flash.operations {
            for tear in TEARS {
                let mut cut = flash.clone();
                cut.cut_after(operation, tear);
                let (mut cut, result) = store(cut, &new);
                assert_eq!(result, Err(Error::Flash(Fault::PowerCut)));
                // The previous checkpoint, or this one if it was written in full.
                let found = start::<P, PAGE, WORD>(&mut cut, [generation - 1, generation]);
                let found = found.unwrap_or_else(|| panic!("{generation}: {operation}, {tear:?}: lost"));
                kept_early += u64::from(found == generation);
                // The device can still learn and store.
                let (mut cut, result) = store(cut, &student::<P>(generation + 1));
                assert_eq!(result, Ok(()), "{generation}: {operation}, {tear:?}");
                assert_eq!(start::<P, PAGE, WORD>(&mut cut, [generation + 1]), Some(generation + 1));
                cuts += 1;
            }
        }
        flash = whole;
        assert_eq!(start::<P, PAGE, WORD>(&mut flash, [generation]), Some(generation));
    }
    assert!(kept_early > 0, "a cut after the last write keeps the new checkpoint");
    let (least, most) = (flash.erases.iter().min().unwrap(), flash.erases.iter().max().unwrap());
    assert!(*most > 1 && most - least <= 1, "pages wear unevenly: {:?}", flash.erases);
    cuts
}

#[test]
fn a_power_cut_leaves_the_last_checkpoint_or_the_one_before() {
    let small = cuts_everywhere::<Small, 512, 4>(2, 24);
    let bytes = cuts_everywhere::<Small, 1024, 1>(4, 60);
    let wide = cuts_everywhere::<Wide, 1024, 4>(6, 12);
    let long_words = cuts_everywhere::<Wide, 2048, 32>(4, 12);
    let cuts = [small, bytes, wide, long_words];
    assert!(cuts.iter().all(|&cuts| cuts > 400) && cuts.iter().sum::<u64>() > 7000, "{cuts:?}");
}

#[test]
fn repeated_power_cuts_leave_the_last_checkpoint_or_the_one_before() {
    let mut rng = Pcg32::new(5, 5);
    let mut flash = Flash::<1024, 4>::new(6);
    let (mut kept, mut cuts, mut stored) = (0, 0, 0);
    for _ in 0..4000 {
        let new = kept + 1;
        let tear = TEARS[rng.next_u32() as usize % TEARS.len()];
        // A store takes about 25 operations, so some stores finish before the cut.
        flash.cut_after(u64::from(rng.next_u32() % 40), tear);
        let (after, result) = store(flash, &student::<Wide>(new));
        flash = after;
        cuts += usize::from(flash.restart());
        stored += usize::from(result.is_ok());
        kept = match result {
            Ok(()) => start::<Wide, 1024, 4>(&mut flash, [new]).expect("the stored checkpoint is found"),
            Err(Error::Flash(Fault::PowerCut)) => {
                start::<Wide, 1024, 4>(&mut flash, [kept, new]).expect("lost")
            }
            Err(error) => panic!("{error}"),
        };
    }
    assert!(cuts > 3000 && stored > 500, "{cuts} cuts, {stored} stored");
}

#[test]
fn flipped_bits_leave_the_last_checkpoint_or_the_one_before() {
    let mut flash = Flash::<512, 4>::new(4);
    for generation in 1..=9 {
        flash = store(flash, &student::<Small>(generation)).0;
    }
    let mut seen = [0; 2];
    for bit in 0..flash.bytes.len() * 8 {
        let mut flipped = flash.clone();
        flipped.bytes[bit / 8] ^= 1 << (bit % 8);
        let found = start::<Small, 512, 4>(&mut flipped, [8, 9]).unwrap_or_else(|| panic!("bit {bit}"));
        seen[found as usize - 8] += 1;
        let (mut flipped, result) = store(flipped, &student::<Small>(10));
        assert_eq!((result, start::<Small, 512, 4>(&mut flipped, [10])), (Ok(()), Some(10)), "bit {bit}");
    }
    assert!(seen[0] > 500, "too few flips damaged the last checkpoint: {seen:?}");
}

#[test]
fn checkpoints_of_other_models_are_refused() {
    let (flash, _) = store(Flash::<1024, 4>::new(4), &student::<Small>(1));
    let mut checkpoint = checkpoint(flash);
    let mut other: Mlp![4, 3, 2; Tanh] = student(0);
    assert_eq!(checkpoint.load(&mut other), Ok(false));
    let mut other: Mlp![3, 4, 2] = student(0);
    assert_eq!(checkpoint.load(&mut other), Ok(false));
    assert_eq!(other, student(0), "the student was changed");
    // Layers without parameters make no difference.
    type Last<L> = Dense<3, 2, Identity, f32, L>;
    type Dropping<L> = Chain<Dense<4, 3, Relu>, Chain<Dropout<3, 20>, Last<L>>>;
    let mut same: Dropping<ByInput> = student(0);
    assert_eq!(checkpoint.load(&mut same), Ok(true));
    assert_eq!(same, student(1));
    let mut laid_out_otherwise: Dropping<ByOutput> = student(0);
    assert_eq!(checkpoint.load(&mut laid_out_otherwise), Ok(false));
    let mut later = Checkpoint::new(checkpoint.release(), 0..4096, VERSION + 1).unwrap();
    assert_eq!(later.load(&mut student::<Small>(0)), Ok(false));
    // The first and second checkpoints of another model.
    for generation in [2, 3] {
        later.store(&student::<Small>(generation)).unwrap();
        let mut found: Small = student(0);
        assert_eq!((later.load(&mut found), found), (Ok(true), student(generation)));
    }
}

#[test]
fn ranges_are_whole_pages_and_large_enough() {
    let error = |range| Checkpoint::new(Flash::<1024, 4>::new(8), range, VERSION).map(drop).unwrap_err();
    for range in [0..1024, 0..0, 512..8192, 0..4000, u32::MAX - 1..u32::MAX] {
        assert_eq!(error(range.clone()), Error::Range, "{range:?}");
    }
    type Large = Mlp![30, 20, 7];
    assert_eq!(Checkpoint::<Flash<1024, 4>>::pages::<Large>(), 8);
    for (pages, result) in [(7, Err(Error::TooLarge)), (8, Ok(())), (9, Ok(()))] {
        let range = 0..pages * 1024;
        let mut checkpoint = Checkpoint::new(Flash::<1024, 4>::new(9), range, VERSION).unwrap();
        for generation in 1..10 {
            assert_eq!(checkpoint.store(&student::<Large>(generation)), result);
        }
    }
    // A page too small for a part.
    assert_eq!(Checkpoint::<Flash<256, 4>>::pages::<Small>(), usize::MAX);
}

#[test]
fn flash_outside_the_range_is_left_alone() {
    let mut flash = Flash::<512, 4>::new(8);
    flash.scribble(1);
    let before = flash.bytes.clone();
    let mut checkpoint = Checkpoint::new(flash, 1024..2048, VERSION).unwrap();
    for generation in 1..20 {
        checkpoint.store(&student::<Small>(generation)).unwrap();
    }
    let after = checkpoint.release().bytes;
    assert_eq!((&after[..1024], &after[2048..]), (&before[..1024], &before[2048..]));
}

#[test]
fn worn_out_flash_is_reported() {
    /// Flash that no longer erases.
    struct Worn(Flash<512, 4>);
    use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
    impl ErrorType for Worn {
        type Error = Fault;
    }
    impl ReadNorFlash for Worn {
        const READ_SIZE: usize = 4;
        fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Fault> {
            self.0.read(offset, bytes)
        }
        fn capacity(&self) -> usize {
            self.0.capacity()
        }
    }
    impl NorFlash for Worn {
        const WRITE_SIZE: usize = 4;
        const ERASE_SIZE: usize = 512;
        fn erase(&mut self, _: u32, _: u32) -> Result<(), Fault> {
            Ok(())
        }
        fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
            self.0.write(offset, bytes)
        }
    }
    let mut checkpoint = Checkpoint::new(Worn(Flash::new(2)), 0..1024, VERSION).unwrap();
    let results: Vec<_> = (1..20).map(|generation| checkpoint.store(&student::<Small>(generation))).collect();
    let kept = results.iter().take_while(|result| result.is_ok()).count();
    assert!(
        kept > 1 && results[kept..].iter().all(|result| *result == Err(Error::Unreadable)),
        "{results:?}"
    );
    let mut found: Small = student(0);
    assert_eq!((checkpoint.load(&mut found), found), (Ok(true), student(kept as u64)));
}

#[test]
fn records_are_refused_unless_whole() {
    let (bytes, mut found) =
        (record::encode(&student::<Small>(1), VERSION).collect::<Vec<_>>(), student::<Small>(0));
    assert_eq!(bytes.len(), 24 + 4 * Small::COUNT);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(record::decode(&flipped, VERSION, &mut found), Err(record::Refused::Damaged), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert_eq!(record::decode(&bytes[..length], VERSION, &mut found), Err(record::Refused::Damaged));
    }
    assert_eq!(record::decode(&bytes, VERSION + 1, &mut found), Err(record::Refused::Foreign));
    assert_eq!(found, student(0), "the student was changed");
    assert_eq!(record::decode(&bytes, VERSION, &mut found), Ok(()));
    assert_eq!(found, student(1));
}

proptest! {
    /// Arbitrary flash contents cause no panic, hold no checkpoint, and leave room to store one.
    #[test]
    fn any_flash_contents_are_handled(
        seed: u64, holes in proptest::collection::vec((0..4096usize, 0..1500usize, any::<u8>()), 0..6),
    ) {
        let mut flash = Flash::<1024, 4>::new(4);
        flash.scribble(seed);
        for (start, length, byte) in holes {
            let end = (start + length).min(flash.bytes.len());
            flash.bytes[start..end].fill(byte);
        }
        prop_assert_eq!(start::<Small, 1024, 4>(&mut flash, [0]), Some(0));
        for generation in 1..4 {
            let (after, result) = store(flash, &student::<Small>(generation));
            flash = after;
            prop_assert_eq!(result, Ok(()));
            prop_assert_eq!(start::<Small, 1024, 4>(&mut flash, [generation]), Some(generation));
        }
    }
}
