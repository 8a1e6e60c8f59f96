//! A board that is taught ends with the desktop's weights, whatever the line does; errors name a board that cannot be taught.

mod common;

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::ControlFlow;
use std::time::Duration;

use common::faulty::Faulty;
use common::{model, rows};
use microdistill::loss::{Soft, SoftLabels};
use microdistill::optimizer::{Adam, AdamRates};
use microdistill::stream::{Pupil, Reply, Request, Settings};
use microdistill::{Distiller, Mlp, Params};
use microdistill_boards::serial::Line;
use microdistill_boards::teach::{Lessons, Patience, Sample, Taught, Tutor};
use microdistill_train::dataset::{Dataset, Target};
use microdistill_train::error::Result;
use microdistill_train::import::{Base, import_bytes, trainable};
use microdistill_train::model::Model;
use microdistill_train::network::Activation;

type Student = Mlp![5, 4, 3];
const BYTES: usize = Request::<[f32; 5], [f32; 3]>::FRAME_BYTES;

const SETTINGS: Settings =
    Settings { rate: 0.01, weight_decay: 1e-3, temperature: 2.0, alpha: 0.7, batch: 3 };
const PATIENCE: Patience = Patience { answer: Duration::from_millis(1), silence: Duration::from_millis(500) };

/// A device at the end of a line without faults.
struct Device<'a> {
    pupil: Pupil<'a, Student, BYTES>,
    answers: VecDeque<u8>,
    /// Number of bytes after which the device falls silent.
    life: usize,
}

impl Write for Device<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut frame = [0; Reply::FRAME_BYTES];
        for &byte in bytes.iter().take(self.life) {
            self.answers.extend(self.pupil.push(byte, &mut frame).unwrap_or_default());
        }
        self.life = self.life.saturating_sub(bytes.len());
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Device<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.answers.is_empty() { Err(ErrorKind::TimedOut.into()) } else { self.answers.read(bytes) }
    }
}

/// Calls `teach` with the line to an untrained device, which falls silent after `life` bytes.
fn with_device<T>(life: usize, teach: impl FnOnce(Device<'_>) -> T) -> T {
    let mut distiller = Distiller::ZERO;
    teach(Device { pupil: Pupil::new(&mut distiller), answers: VecDeque::new(), life })
}

/// A student, a teacher and rows, some of which have labels.
fn lessons() -> (Model, Lessons) {
    let (student, teacher) = (model(&[5, 4, 3], Activation::Relu, 1), model(&[5, 8, 3], Activation::Relu, 2));
    let lessons = Lessons::new(&student, Some(&teacher), &data(&student)).unwrap();
    (student, lessons)
}

fn data(model: &Model) -> Dataset {
    let target = Target::Classes((0..200).map(|row| row % 3).collect());
    Dataset { x: rows(5, 200, 3), target, ..model.example_rows() }
}

fn teach(line: impl Line, most: usize) -> Result<Taught> {
    let (student, lessons) = lessons();
    let mut samples = 0;
    Tutor::new(line, "/dev/test", PATIENCE).teach(
        trainable(&student)?,
        &SETTINGS,
        lessons.passes(3, 1),
        &mut |_, learned| {
            assert!(learned.class < 3 && learned.loss.is_finite());
            samples += 1;
            if samples == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    )
}

/// Bits of the parameters after the core's distiller has learned these samples, without a line.
fn expected(most: usize) -> Vec<u32> {
    let (student, lessons) = lessons();
    let mut distiller = Distiller::<Student, Adam<Student>>::ZERO;
    let values: Vec<f32> = tensors(&student);
    let parameters = distiller.student.tensors_mut().flat_map(|(_, tensor)| tensor);
    parameters.zip(values).for_each(|(to, from)| *to = from);
    let rates = AdamRates { rate: 0.01, weight_decay: 1e-3, ..AdamRates::DEFAULT };
    let loss = SoftLabels { temperature: 2.0, alpha: 0.7 };
    for (index, Sample { x, teacher, label }) in lessons.passes(3, 1).take(most).enumerate() {
        let teacher: &[f32; 3] = teacher.try_into().unwrap();
        distiller.learn(x.try_into().unwrap(), &loss, Soft { teacher, label });
        if index % 3 == 2 {
            distiller.update(&rates);
        }
    }
    distiller.update(&rates);
    let parameters = distiller.student.tensors().flat_map(|(_, tensor)| tensor.to_vec());
    parameters.map(f32::to_bits).collect()
}

fn tensors(model: &Model) -> Vec<f32> {
    trainable(model).unwrap().tensors().flat_map(|(_, tensor)| tensor).copied().collect()
}

/// Bits of the returned weights as `import` reads them.
fn bits(taught: &Taught) -> Vec<u32> {
    let learned = import_bytes(&taught.record, Base::Like(&lessons().0)).unwrap();
    assert!(learned.changed > 0);
    tensors(&learned.model).into_iter().map(f32::to_bits).collect()
}

#[test]
fn a_board_ends_with_the_desktop_s_weights() {
    for most in [1, 2, 3, 600] {
        let taught = with_device(usize::MAX, |device| teach(device, most)).unwrap();
        assert_eq!((taught.samples, taught.different, taught.repeated), (most, 0, 0));
        assert_eq!(bits(&taught), expected(most));
    }
}

#[test]
fn a_bad_line_changes_nothing() {
    for seed in 0..5 {
        let (taught, faults) = with_device(usize::MAX, |device| {
            let mut line = Faulty::new(device, seed);
            (teach(&mut line, 600).unwrap(), line.faults)
        });
        assert!(faults.iter().all(|&count| count > 30), "{faults:?}");
        assert!(taught.repeated > 100);
        assert_eq!((taught.samples, taught.different), (600, 0));
        assert_eq!(bits(&taught), expected(600));
    }
}

#[test]
fn a_board_is_taught_again_from_the_start() {
    with_device(usize::MAX, |mut device| {
        for most in [10, 600, 7] {
            assert_eq!(bits(&teach(&mut device, most).unwrap()), expected(most));
        }
    });
}

#[test]
fn a_board_that_dies_is_named_with_what_to_do() {
    for life in [0, 500, 20_000] {
        let error = with_device(life, |device| teach(device, 600)).unwrap_err().to_string();
        assert!(error.starts_with("/dev/test: silent for 0.5 s") && error.contains("--baud"), "{error}");
    }
    /// A line that repeats the same bytes forever.
    struct Says(&'static [u8]);
    impl Read for Says {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            let mut says = self.0;
            says.read(bytes)
        }
    }
    impl Write for Says {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = teach(Says(b"booting\0"), 600).unwrap_err().to_string();
    assert!(error.contains("only unknown bytes") && error.contains("--baud"), "{error}");
    let error = teach(Says(b""), 600).unwrap_err().to_string();
    assert!(error.starts_with("/dev/test: the line was closed"), "{error}");
}

#[test]
fn a_board_with_another_student_is_refused() {
    let other = model(&[5, 4, 3], Activation::Tanh, 1);
    let lessons = Lessons::new(&other, None, &data(&other)).unwrap();
    let error = with_device(usize::MAX, |device| {
        Tutor::new(device, "/dev/test", PATIENCE)
            .teach(trainable(&other).unwrap(), &SETTINGS, lessons.passes(1, 1), &mut |_, _| {
                ControlFlow::Continue(())
            })
            .unwrap_err()
    });
    assert!(
        error.to_string().contains("its student is not a 5-4-3 network with these activations"),
        "{error}"
    );
}

#[test]
fn lessons_need_a_teacher_or_labels_and_one_shape() {
    let student = model(&[5, 4, 3], Activation::Relu, 1);
    let unlabelled = Dataset { target: Target::Absent, ..data(&student) };
    assert!(Lessons::new(&student, None, &unlabelled).is_err());
    assert!(Lessons::new(&student, Some(&student), &unlabelled).is_ok());
    assert!(Lessons::new(&student, None, &data(&student)).is_ok());
    let stranger = model(&[5, 4, 2], Activation::Relu, 1);
    assert!(Lessons::new(&student, Some(&stranger), &data(&student)).is_err());
}
