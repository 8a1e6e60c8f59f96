//! Contents of a reservoir and of a class-balanced replay memory.

use microdistill::Replay;
use microdistill::replay::{Answer, Balanced, Reservoir};
use proptest::collection::vec;
use proptest::prelude::*;
use rand_core::Rng;
use rand_pcg::Pcg32;

fn held<X: Copy, Y: Copy, const N: usize, P>(replay: &Replay<X, Y, N, P>) -> Vec<(X, Y)> {
    (0..).map_while(|slot| replay.get(slot).copied()).collect()
}

#[test]
fn a_reservoir_follows_vitters_algorithm() {
    let (mut rng, mut same) = (Pcg32::new(1, 1), Pcg32::new(1, 1));
    let mut replay = Replay::<u32, u32, 5, _>::reservoir();
    let mut expected: Vec<(u32, u32)> = Vec::new();
    for seen in 1..=300 {
        replay.push(seen, 2 * seen, &mut rng);
        if expected.len() < 5 {
            expected.push((seen, 2 * seen));
        } else {
            let slot = (u64::from(same.next_u32()) * u64::from(seen)) >> 32;
            if slot < 5 {
                expected[slot as usize] = (seen, 2 * seen);
            }
        }
        assert_eq!((held(&replay), replay.len()), (expected.clone(), expected.len()));
    }
    assert_eq!(rng.next_u32(), same.next_u32(), "not one number per pair once the reservoir is full");
}

#[test]
fn a_reservoir_keeps_each_pair_with_the_same_probability() {
    const TRIALS: usize = 20_000;
    let (mut rng, mut counts) = (Pcg32::new(2, 1), [0u32; 30]);
    for _ in 0..TRIALS {
        let mut replay = Replay::<usize, (), 6, _>::reservoir();
        (0..30).for_each(|x| replay.push(x, (), &mut rng));
        held(&replay).iter().for_each(|(x, ())| counts[*x] += 1);
    }
    // Each pair is kept in a fifth of the trials; the standard deviation is 57.
    assert!(counts.iter().all(|&count| count.abs_diff(TRIALS as u32 / 5) < 250), "{counts:?}");
}

#[test]
fn rare_classes_are_not_crowded_out() {
    let mut rng = Pcg32::new(3, 1);
    let mut balanced = Replay::<u32, usize, 30, Balanced<30, 3>>::balanced();
    let mut reservoir = Replay::<u32, usize, 30, Reservoir>::reservoir();
    for x in 0..2000 {
        let class = if x % 50 == 7 { 2 } else { usize::from(x % 10 == 3) };
        balanced.push(x, class, class, &mut rng);
        reservoir.push(x, class, &mut rng);
    }
    assert_eq!(balanced.held(), &[10; 3]);
    let rare = held(&reservoir).iter().filter(|(_, class)| *class == 2).count();
    assert!(rare < 5, "{rare} of a class that makes up a fiftieth of the samples");
}

#[test]
fn each_pair_of_a_class_is_kept_with_the_same_probability() {
    const TRIALS: usize = 20_000;
    let (mut rng, mut counts) = (Pcg32::new(4, 1), [0u32; 40]);
    for _ in 0..TRIALS {
        let mut replay = Replay::<usize, (), 8, Balanced<8, 2>>::balanced();
        for x in 0..40 {
            replay.push(x, (), x % 2, &mut rng);
        }
        assert_eq!(replay.held(), &[4, 4]);
        held(&replay).iter().for_each(|(x, ())| counts[*x] += 1);
    }
    assert!(counts.iter().all(|&count| count.abs_diff(TRIALS as u32 / 5) < 250), "{counts:?}");
}

proptest! {
    #[test]
    fn balance_is_kept_for_any_sequence(classes in vec(0usize..6, 0..200), seed in any::<u64>()) {
        let mut rng = Pcg32::new(seed, 1);
        let mut replay = Replay::<usize, usize, 12, Balanced<12, 4>>::balanced();
        for (x, &class) in classes.iter().enumerate() {
            let before = *replay.held();
            let pairs = replay.len();
            replay.push(x, class, class, &mut rng);
            let after = *replay.held();
            // The counts match the contents, and classes out of range are not stored.
            let mut counts = [0; 4];
            held(&replay).iter().for_each(|(_, class)| counts[*class] += 1);
            prop_assert_eq!(after, counts);
            prop_assert_eq!(replay.len(), if class < 4 { (pairs + 1).min(12) } else { pairs });
            // Only the largest class gives up a slot.
            let most = before.iter().max().unwrap();
            for (before, after) in before.iter().zip(&after) {
                prop_assert!(after >= before || before == most);
            }
        }
    }

    #[test]
    fn contents_repeat_with_the_same_seed(count in 0u32..100, seed in any::<u64>()) {
        let run = |seed| {
            let mut rng = Pcg32::new(seed, 1);
            let mut reservoir = Replay::<u32, u32, 7, _>::reservoir();
            let mut balanced = Replay::<u32, u32, 7, Balanced<7, 3>>::balanced();
            for x in 0..count {
                reservoir.push(x, x, &mut rng);
                balanced.push(x, x, (x * x % 3) as usize, &mut rng);
            }
            (held(&reservoir), held(&balanced))
        };
        prop_assert_eq!(run(seed), run(seed));
    }
}

#[test]
fn a_sample_takes_one_byte_per_number_and_two_more() {
    assert_eq!(size_of::<([i8; 30], Answer<7>)>(), 30 + 7 + 2);
}
