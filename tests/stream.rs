//! Lessons over a line that loses, repeats, reorders and damages frames: exactly the accepted lessons are learned, in
//! order.
#![cfg(feature = "stream")]

mod common;

use common::numbers;
use microdistill::loss::{Soft, SoftLabels};
use microdistill::optimizer::{Sgd, SgdRates};
use microdistill::stream::{Counts, Decoder, Lesson, TooSmall, encode};
use microdistill::{Distiller, Mlp, Params};
use proptest::prelude::*;
use rand_core::Rng;
use rand_pcg::Pcg32;

type Student = Mlp![4, 6, 3];
type Sample = Lesson<[f32; 4], [f32; 3]>;
const BYTES: usize = Sample::FRAME_BYTES;

const FRAMES: u32 = 2000;

fn lesson(sequence: u32) -> Sample {
    let mut number = numbers(sequence.into());
    let mut number = || number() as f32;
    Lesson {
        x: [(); 4].map(|()| number()),
        teacher: [(); 3].map(|()| 3.0 * number()),
        label: sequence.is_multiple_of(3).then_some(sequence as u16 % 3),
    }
}

fn frame(sequence: u32) -> Vec<u8> {
    encode(sequence, &lesson(sequence), &mut [0; BYTES]).unwrap().to_vec()
}

fn receive(bytes: impl IntoIterator<Item = u8>) -> (Vec<Sample>, Counts) {
    let mut decoder = Decoder::<[f32; 4], [f32; 3], BYTES>::new();
    let lessons = bytes.into_iter().filter_map(|byte| decoder.push(byte)).collect();
    (lessons, decoder.counts())
}

/// A student that learned these lessons in order.
fn train(lessons: &[Sample]) -> Student {
    let mut distiller = Distiller::<Student, Sgd<Student>>::ZERO;
    distiller.student.initialize(&mut Pcg32::new(1, 2));
    for Lesson { x, teacher, label } in lessons {
        distiller.learn(x, &SoftLabels::DEFAULT, Soft { teacher, label: label.map(usize::from) });
        distiller.update(&SgdRates { rate: 0.05, momentum: 0.9, weight_decay: 0.0 });
    }
    distiller.student
}

/// The sequence numbers that a device must accept: each is larger than all before it.
fn rising(sequences: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let mut rising: Vec<u32> = Vec::new();
    for sequence in sequences {
        if rising.last().is_none_or(|&last| sequence > last) {
            rising.push(sequence);
        }
    }
    rising
}

/// Frames in order of arrival, with their sequence numbers; `None` for a damaged frame.
type Line = Vec<(Option<u32>, Vec<u8>)>;

/// A line on which a random fifth of the frames is handed to `trouble`.
fn line(seed: u64, mut trouble: impl FnMut(&mut Pcg32, &mut Line, u32)) -> Line {
    let mut rng = Pcg32::new(seed, 9);
    let mut line = Line::new();
    for sequence in 1..=FRAMES {
        if rng.next_u32().is_multiple_of(5) {
            trouble(&mut rng, &mut line, sequence);
        } else {
            line.push((Some(sequence), frame(sequence)));
        }
    }
    line
}

/// Checks that exactly the intact frames with rising sequence numbers are learned.
fn learned(line: &Line) -> Counts {
    let sequences: Vec<u32> = line.iter().filter_map(|(sequence, _)| *sequence).collect();
    let accepted = rising(sequences.iter().copied());
    let expected: Vec<_> = accepted.iter().map(|&sequence| lesson(sequence)).collect();
    let (lessons, counts) = receive(line.iter().flat_map(|(_, bytes)| bytes).copied());
    assert!(lessons == expected, "{counts:?}");
    assert!(train(&lessons) == train(&expected));
    assert_eq!(counts.accepted as usize, accepted.len());
    assert_eq!(counts.stale as usize, sequences.len() - accepted.len());
    let range = accepted.last().unwrap() - accepted[0] + 1;
    assert_eq!(counts.missed as usize, range as usize - accepted.len());
    counts
}

#[test]
fn lost_frames_are_counted_as_missed() {
    let counts = learned(&line(1, |_, _, _| {}));
    assert!((300..500).contains(&counts.missed) && counts.damaged == 0, "{counts:?}");
}

#[test]
fn repeated_frames_are_learned_once() {
    let counts = learned(&line(2, |_, line, sequence| {
        line.extend([(Some(sequence), frame(sequence)), (Some(sequence), frame(sequence))]);
    }));
    assert!((300..500).contains(&counts.stale) && counts.missed == 0, "{counts:?}");
    assert_eq!(counts.accepted, FRAMES);
}

#[test]
fn late_frames_are_skipped() {
    let mut line = line(3, |_, line, sequence| line.push((Some(sequence), frame(sequence))));
    let mut rng = Pcg32::new(3, 10);
    let mut below = |limit: usize| rng.next_u32() as usize % limit;
    for _ in 0..FRAMES / 5 {
        let place = below(line.len() - 5);
        let late = line.remove(place);
        line.insert(place + 1 + below(5), late);
    }
    let counts = learned(&line);
    assert!((300..500).contains(&counts.stale), "{counts:?}");
}

/// Flips bits, or removes, inserts or overwrites bytes, including the frame's end.
fn damage(rng: &mut Pcg32, bytes: &mut Vec<u8>) {
    let mut below = |limit: usize| rng.next_u32() as usize % limit;
    for _ in 0..=below(4) {
        if bytes.is_empty() {
            return;
        }
        let place = below(bytes.len());
        match below(4) {
            0 => bytes[place] ^= 1 << below(8),
            1 => drop(bytes.remove(place)),
            2 => bytes.insert(place, below(256) as u8),
            _ => bytes[place] = below(256) as u8,
        }
    }
}

#[test]
fn damaged_frames_are_never_learned() {
    // A frame without its end would run into the next one, so a zero separates them.
    let counts = learned(&line(4, |rng, line, sequence| {
        let whole = frame(sequence);
        let mut bytes = whole.clone();
        // Two damages may cancel each other, and a zero before or after a frame does no harm.
        while bytes.split(|&byte| byte == 0).any(|bytes| bytes == &whole[..whole.len() - 1]) {
            damage(rng, &mut bytes);
        }
        bytes.push(0);
        line.push((None, bytes));
    }));
    assert!(counts.damaged > 300, "{counts:?}");
}

#[test]
fn all_faults_at_once_are_handled() {
    for seed in 5..15 {
        let counts = learned(&line(seed, |rng, line, sequence| match rng.next_u32() % 4 {
            0 => {}
            1 => line.extend([(Some(sequence), frame(sequence)), (Some(sequence), frame(sequence))]),
            2 => line.insert(line.len().saturating_sub(3), (Some(sequence), frame(sequence))),
            _ => {
                let mut bytes = frame(sequence);
                bytes[3] ^= 0x10;
                bytes.push(0);
                line.push((None, bytes));
            }
        }));
        assert!(counts.damaged > 50 && counts.stale > 100 && counts.missed > 100, "{counts:?}");
    }
}

#[test]
fn every_flipped_bit_is_detected() {
    let whole = frame(1);
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (lessons, counts) = receive(flipped.into_iter().chain([0]));
        assert_eq!((lessons.len(), counts.accepted), (0, 0), "bit {bit}");
    }
}

#[test]
fn frames_fit_their_buffer() {
    fn fits<const I: usize, const BYTES: usize>(x: [f32; I]) {
        let lesson = Lesson { x, teacher: [i8::MIN; 3], label: Some(u16::MAX) };
        assert_eq!(BYTES, Lesson::<[f32; I], [i8; 3]>::FRAME_BYTES);
        let mut buffer = [0; BYTES];
        let frame = encode(u32::MAX, &lesson, &mut buffer).unwrap().to_vec();
        assert_eq!(encode(u32::MAX, &lesson, &mut vec![0; frame.len() - 1]), Err(TooSmall));
        let mut decoder = Decoder::<[f32; I], [i8; 3], BYTES>::new();
        let lessons: Vec<_> = frame.iter().filter_map(|&byte| decoder.push(byte)).collect();
        assert_eq!(lessons, [lesson]);
        assert_eq!(decoder.last(), Some(u32::MAX));
    }
    // An empty sample, then blocks of 253 to 255 bytes without a zero, and more.
    fits::<0, { Lesson::<[f32; 0], [i8; 3]>::FRAME_BYTES }>([]);
    let dense = f32::from_bits(0x3f01_0101);
    fits::<60, { Lesson::<[f32; 60], [i8; 3]>::FRAME_BYTES }>([dense; 60]);
    fits::<61, { Lesson::<[f32; 61], [i8; 3]>::FRAME_BYTES }>([dense; 61]);
    fits::<200, { Lesson::<[f32; 200], [i8; 3]>::FRAME_BYTES }>([dense; 200]);
}

proptest! {
    /// Arbitrary bytes cause no panic and are not accepted, and the next intact frame is.
    #[test]
    fn any_bytes_are_handled(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let (lessons, counts) = receive(bytes.into_iter().chain([0]).chain(frame(9)));
        prop_assert_eq!(lessons, [lesson(9)]);
        prop_assert_eq!(counts.accepted, 1);
    }

    /// A pupil does not answer arbitrary bytes, and does answer the next intact request.
    #[cfg(feature = "checkpoint")]
    #[test]
    fn a_pupil_handles_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        use microdistill::optimizer::Adam;
        use microdistill::stream::{Pupil, Receiver, Reply, Request};

        type Question = Request<[f32; 4], [f32; 3]>;
        let mut distiller = Distiller::<Student, Adam<Student>>::ZERO;
        let mut pupil = Pupil::<Student, { Question::FRAME_BYTES }>::new(&mut distiller);
        let hello = encode(7, &Question::Hello, &mut [0; Question::FRAME_BYTES]).unwrap().to_vec();
        let mut receiver = Receiver::<{ Reply::FRAME_BYTES }>::new();
        let (mut frame, mut replies) = ([0; Reply::FRAME_BYTES], Vec::new());
        for byte in bytes.into_iter().chain([0]).chain(hello) {
            let answer = pupil.push(byte, &mut frame).unwrap_or_default();
            replies.extend(answer.iter().filter_map(|&byte| receiver.push(byte)));
        }
        prop_assert_eq!(replies, [Ok((7, Reply::Ready { last: 0, fingerprint: Student::FINGERPRINT }))]);
        prop_assert_eq!(pupil.student(), &Student::ZERO);
    }
}
