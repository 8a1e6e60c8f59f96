//! Adaptation in the field: a student that was trained for some people meets others, and a sensor with another gain. What
//! it learns survives power cuts.
//!
//! The story always uses the bundled example, whatever files the other programs include, and is the same on every board.

mod life;
mod past;
mod people;
mod power;

use core::ops::Range;

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use microdistill::Params;
use microdistill::checkpoint::{Checkpoint, Error, record};
use microdistill::guard::{Progress, Score};
use static_cell::ConstStaticCell;

use crate::distill::print_weights;
use crate::output::println;
use crate::{Meter, Outcome, Storage, Tick, Watch};
use life::{Guard, Life, Memory, UNITS, trusted};
use past::{Of, Past};
use people::{WINDOWS, arriving, unseen};
use power::{Cut, Supply};
use student::{STUDENT, Student};

#[path = "../../../../models/watch_small/student.rs"]
mod student;
#[path = "../../../../models/watch_small/teacher_int8.rs"]
mod teacher;
#[path = "../../../../models/watch_small/test_int8.rs"]
mod test;
#[path = "../../../../models/watch_small/train_int8.rs"]
mod train;

/// Windows before the gain changes: two passes with the original sensor, then six with another gain.
const QUIET: u32 = 2 * WINDOWS as u32;
const LIFE: u32 = 8 * WINDOWS as u32;
const GAIN: f32 = 2.0;

/// Version of the shipped weights: checkpoints of other versions are refused.
const VERSION: u32 = 2;
/// Point of the power cut in the first, second and third start of the device.
const CUTS: [Cut; 3] = [Cut::Training, Cut::Write(20), Cut::Erase];

// All zero at the start, so they take RAM but no flash.
static GUARD: ConstStaticCell<Guard> = ConstStaticCell::new(Guard::ZERO);
static MEMORY: ConstStaticCell<Memory> = ConstStaticCell::new(Memory::EMPTY);

type Result<T, S> = core::result::Result<T, Error<<S as embedded_storage::nor_flash::ErrorType>::Error>>;

/// Runs the story from one power cut to the next and prints it: correct predictions and mean negative log-likelihood on
/// held-out windows of the new people, when learning starts and stops, when power fails and which weights the device
/// restarts with, the fate of the candidates, the cost, and the bits of the weights.
///
/// ```text
/// as trained: 155 of 182, nll 0.3326434
/// with gain 2: 149 of 182, nll 0.6028234
/// a foreign checkpoint: refused
/// a damaged checkpoint: refused
/// start 1: the shipped weights, 2142931165
/// window 459: learning starts
/// window 529: power fails while training
/// start 2: the learned weights, 1273333299
/// window 591: power fails while writing to flash
/// …
/// adapted: 155 of 182, nll 0.3575196
/// trusted rows as trained: 64 of 64, nll 0.037179105
/// trusted rows, adapted: 64 of 64, nll 0.03398248
/// candidates: 2 kept, 24 dropped, 568 steps
/// teacher: 607 calls for 1456 windows
/// flash: 1971 words written, 7 erases of 12 pages
/// tick: 40000 ps
/// longest window: 133124 ticks
/// longest training: 132727 ticks
/// longest checkpoint: 48761 ticks
/// RAM: 12676 bytes
/// weights 0 0: [3161315288, …]
/// ```
///
/// No label of the new people is used for learning. Fails if the device restarts with other weights than those that it
/// kept, if a foreign or damaged checkpoint is not refused, or if the student makes more errors on trusted rows than the
/// shipped one.
pub fn adapt<M: Meter, S: Storage>(board: Option<(M, S)>) -> Outcome {
    let (Some((mut meter, storage)), Some(guard), Some(memory)) =
        (board, GUARD.try_take(), MEMORY.try_take())
    else {
        println!("adaptation can run only once: its memory is taken");
        return Outcome::Failed;
    };
    match tell(&mut Watch::new(&mut meter), storage, guard, memory) {
        Ok(true) => Outcome::Passed,
        Ok(false) => Outcome::Failed,
        Err(_) => {
            println!("the flash failed");
            Outcome::Failed
        }
    }
}

/// Runs from a start of the device to the next power cut or to the end. Returns whether everything is as it should be.
fn tell<M: Meter, S: Storage>(
    watch: &mut Watch<'_, M>,
    mut storage: S,
    guard: &'static mut Guard,
    memory: &'static mut Memory,
) -> Result<bool, S> {
    let found = Past::read(&mut storage).map_err(Error::Flash)?;
    let past = found.filter(|past| past.get(Of::Windows) < LIFE).unwrap_or_else(Past::new);
    let cut = CUTS.get(past.get(Of::Starts) as usize).copied();
    let mut supply = Supply::new(storage, &past, cut);
    if past.get(Of::Starts) == 0 {
        let refused;
        (supply, refused) = first_start(supply, guard, &past)?;
        if !refused {
            return Ok(false);
        }
    }
    past.add(Of::Starts, 1);

    let pages = supply.capacity() / S::ERASE_SIZE - 1;
    let mut checkpoint = open(supply, VERSION)?;
    let learned = load(guard, &mut checkpoint)?;
    let weights = if learned { "learned" } else { "shipped" };
    println!("start {}: the {} weights, {}", past.get(Of::Starts), weights, seal(guard.student()));
    if ![past.get(Of::Stored), past.get(Of::Storing)].contains(&seal(guard.student())) {
        println!("these weights were not kept");
        return Ok(false);
    }

    let shipped = Score::of(&STUDENT, &trusted);
    let mut life = Life::begin(guard, memory, past.get(Of::Starts), &shipped);
    while past.get(Of::Windows) < LIFE {
        let Some(progress) = meet(watch, &mut life, &past) else { break };
        match progress {
            Progress::Kept => keep(watch, life.guard.student(), &mut checkpoint, &past)?,
            Progress::RolledBack(_) => past.add(Of::Dropped, 1),
            _ if cut == Some(Cut::Training) && past.get(Of::Kept) > 0 && progress.is_under_way() => {
                match checkpoint.release().fail().map_err(Error::Flash)? {}
            }
            _ => {}
        }
    }

    let guard = life.guard;
    let adapted = Score::of(guard.student(), &trusted);
    print("adapted", &Score::of(guard.student(), &unseen(GAIN)));
    print("trusted rows as trained", &shipped);
    print("trusted rows, adapted", &adapted);
    report(M::TICK, &past, pages);
    print_weights(guard.student());

    let learned = seal(guard.student());
    load(guard, &mut checkpoint)?;
    let same = learned == seal(guard.student());
    past.write(&mut checkpoint.release()).map_err(Error::Flash)?;
    Ok(same && adapted.errors() <= shipped.errors())
}

/// Starts the story. Returns whether [other checkpoints](refuse_others) are refused.
fn first_start<'a, S: Storage>(
    supply: Supply<'a, S>,
    guard: &mut Guard,
    past: &Past,
) -> Result<(Supply<'a, S>, bool), S> {
    print("as trained", &Score::of(&STUDENT, &unseen(1.0)));
    print("with gain 2", &Score::of(&STUDENT, &unseen(GAIN)));
    let (supply, refused) = refuse_others(supply, guard)?;
    past.set(Of::Stored, seal(&STUDENT));
    past.set(Of::Storing, seal(&STUDENT));
    past.set(Of::Words, 0);
    past.set(Of::Pages, 0);
    Ok((supply, refused))
}

/// Lets the next window arrive and learns from it if it is time to. `None` if there are no more windows.
fn meet<M: Meter>(watch: &mut Watch<'_, M>, life: &mut Life, past: &Past) -> Option<Progress> {
    let window = past.get(Of::Windows);
    let x = arriving(window as usize, if window < QUIET { 1.0 } else { GAIN })?;
    past.add(Of::Windows, 1);
    let mut learning = false;
    let mut ticks = watch.time(|| learning = life.meet(window, &x, past));
    let mut progress = Progress::Idle;
    if learning {
        let training = watch.time(|| progress = life.train(past));
        past.raise(Of::LongestTraining, training);
        ticks += training;
    }
    past.raise(Of::LongestWindow, ticks);
    Some(progress)
}

/// Stores the student that the guard kept.
fn keep<M: Meter, S: Storage>(
    watch: &mut Watch<'_, M>,
    student: &Student,
    checkpoint: &mut Checkpoint<Supply<'_, S>>,
    past: &Past,
) -> Result<(), S> {
    past.set(Of::Storing, seal(student));
    let mut stored = Ok(());
    let ticks = watch.time(|| stored = checkpoint.store(student));
    stored?;
    past.raise(Of::LongestCheckpoint, ticks);
    past.set(Of::Stored, seal(student));
    past.add(Of::Kept, 1);
    Ok(())
}

/// Prints the fate of the candidates, and the cost.
fn report(tick: Tick, past: &Past, pages: usize) {
    println!(
        "candidates: {} kept, {} dropped, {} steps",
        past.get(Of::Kept),
        past.get(Of::Dropped),
        past.get(Of::Steps)
    );
    println!("teacher: {} calls for {} windows", past.get(Of::Asked), past.get(Of::Windows));
    println!(
        "flash: {} words written, {} erases of {} pages",
        past.get(Of::Words),
        past.get(Of::Pages),
        pages
    );
    match tick {
        Tick::Picoseconds(picoseconds) => println!("tick: {} ps", picoseconds),
        Tick::Cycle => println!("tick: a cycle"),
    }
    println!("units of training per window: {}", UNITS);
    println!("longest window: {} ticks", past.get(Of::LongestWindow));
    println!("longest training: {} ticks", past.get(Of::LongestTraining));
    println!("longest checkpoint: {} ticks", past.get(Of::LongestCheckpoint));
    println!("RAM: {} bytes", size_of_val(&GUARD) + size_of_val(&MEMORY));
}

/// Writes checkpoints that do not belong to this student to flash, one of an older version and a damaged one. Returns whether
/// both are refused.
fn refuse_others<'a, S: Storage>(
    mut supply: Supply<'a, S>,
    guard: &mut Guard,
) -> Result<(Supply<'a, S>, bool), S> {
    let capacity = supply.capacity() as u32;
    supply.erase(0, capacity).map_err(Error::Flash)?;
    let mut all = true;
    for (name, version) in [("foreign", VERSION - 1), ("damaged", VERSION)] {
        let mut other = open(supply, version)?;
        guard.begin(&Student::ZERO);
        other.store(guard.student())?;
        let found = load(guard, &mut other)?;
        supply = other.release();
        if version == VERSION {
            // Any word can be programmed to zero.
            for offset in checkpoints::<S>(capacity).step_by(128) {
                supply.write(offset, &[0; 4]).map_err(Error::Flash)?;
            }
        }
        let mut own = open(supply, VERSION)?;
        let refused = found && !load(guard, &mut own)?;
        println!("a {} checkpoint: {}", name, if refused { "refused" } else { "not refused" });
        all &= refused;
        supply = own.release();
    }
    Ok((supply, all))
}

fn open<S: Storage>(supply: Supply<'_, S>, version: u32) -> Result<Checkpoint<Supply<'_, S>>, S> {
    let range = checkpoints::<S>(supply.capacity() as u32);
    Checkpoint::new(supply, range, version)
}

/// The range of the checkpoints; the first page belongs to the story.
fn checkpoints<S: Storage>(capacity: u32) -> Range<u32> {
    S::ERASE_SIZE as u32..capacity
}

/// Loads the learned student, if one was kept, or else the shipped one. Returns true for the learned one.
fn load<S: Storage>(guard: &mut Guard, checkpoint: &mut Checkpoint<Supply<'_, S>>) -> Result<bool, S> {
    guard.begin_with(|student| {
        *student = STUDENT;
        let learned = checkpoint.load(student);
        if learned.is_err() {
            *student = STUDENT;
        }
        learned
    })
}

/// Hash that distinguishes students.
fn seal(student: &Student) -> u32 {
    record::seal(student, VERSION)
}

fn print(name: &str, score: &Score) {
    let right = score.rows() - score.errors();
    println!("{}: {} of {}, nll {:?}", name, right, score.rows(), score.likelihood());
}
