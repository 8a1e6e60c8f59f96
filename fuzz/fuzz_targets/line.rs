//! Serial lines: whatever bytes arrive, the device and the desktop continue, and the next whole frame is understood.
#![no_main]

use libfuzzer_sys::fuzz_target;
use microdistill::optimizer::Adam;
use microdistill::stream::{Lesson, Pupil, Receiver, Reply, Request, Settings, encode};
use microdistill::{Distiller, Mlp, Params as _};

type Student = Mlp![2, 3, 2];
type Question = Request<[f32; 2], [f32; 2]>;

fuzz_target!(|damage: Vec<(u16, u8)>| {
    let mut bytes = lesson();
    for (place, byte) in damage {
        // After the input, the line continues with noise.
        match bytes.get_mut(usize::from(place)) {
            Some(to) => *to = byte,
            None => bytes.push(byte),
        }
    }
    let mut distiller = Distiller::<Student, Adam<Student>>::ZERO;
    let mut pupil = Pupil::<Student, { Question::FRAME_BYTES }>::new(&mut distiller);
    let mut desktop = Receiver::<{ Reply::FRAME_BYTES }>::new();
    let mut answer = [0; Reply::FRAME_BYTES];
    for &byte in &bytes {
        let _ = desktop.push::<Reply>(byte);
        let _ = pupil.push(byte, &mut answer);
    }

    // A zero ends any unfinished frame.
    let _ = pupil.push(0, &mut answer);
    let mut line = [0; Question::FRAME_BYTES];
    let frame = encode(0, &Question::Hello, &mut line).expect("room for the frame");
    let answers: Vec<Vec<u8>> =
        frame.iter().filter_map(|&byte| pupil.push(byte, &mut answer).map(<[u8]>::to_vec)).collect();
    let [answer] = answers.as_slice() else { panic!("{} answers to a question", answers.len()) };
    let mut desktop = Receiver::<{ Reply::FRAME_BYTES }>::new();
    let replies: Vec<_> = answer.iter().filter_map(|&byte| desktop.push::<Reply>(byte)).collect();
    assert!(
        matches!(replies.as_slice(), [Ok((_, Reply::Ready { fingerprint, .. }))] if *fingerprint == Student::FINGERPRINT),
        "{replies:?}"
    );
});

/// Bytes that a desktop sends for a sample.
fn lesson() -> Vec<u8> {
    let sample = Lesson { x: [0.5, -0.5], teacher: [1.0, -1.0], label: Some(1) };
    let settings = Settings { rate: 0.01, weight_decay: 0.0, temperature: 2.0, alpha: 0.9, batch: 1 };
    let requests =
        [Question::Hello, Question::Begin(settings), Question::Learn(sample), Question::Recall { from: 0 }];
    let mut line = [0; Question::FRAME_BYTES];
    let frames = requests
        .iter()
        .zip(0..)
        .map(|(request, number)| encode(number, request, &mut line).expect("room for the frame").to_vec());
    frames.collect::<Vec<_>>().concat()
}
