//! An interrupt-driven program. The timer's task takes each sample and runs inference, whatever else is going on. The idle
//! task learns in the remaining time, in pieces of bounded work.
//!
//! Two students change hands: the timer's task owns the one in use, the idle task a spare one. When the guard keeps a
//! candidate, the idle task copies it into the spare and hands that over. The timer's task takes it before its next sample
//! and returns the old one. No lock is held, and no inference sees half a student.
#![no_std]
#![no_main]
// For code that the macro generates.
#![allow(missing_docs, unsafe_code, unreachable_pub)]

mod clock;
mod learning;
mod sampling;

use cortex_m_rt as _;
use defmt_semihosting as _;

/// The device that RTIC needs. None of its interrupts is used, because SysTick belongs to the core.
mod device {
    /// Priority bits of the MPS boards' Cortex-M3 to M7.
    pub(crate) const NVIC_PRIO_BITS: u8 = 3;
}

#[rtic::app(device = crate::device, peripherals = false)]
mod app {
    use heapless::spsc::Queue;
    use microdistill_programs::data::student::{STUDENT, Student};
    use microdistill_support::run;

    use crate::clock;
    use crate::learning::{Learning, QUEUE};
    use crate::sampling::{Sample, Sampling};

    #[shared]
    struct Shared {}

    #[local]
    struct Local {
        sampling: Sampling,
        learning: Learning,
    }

    #[init(local = [
        samples: Queue<Sample, QUEUE> = Queue::new(),
        handed: Queue<&'static mut Student, 2> = Queue::new(),
        returned: Queue<&'static mut Student, 2> = Queue::new(),
        in_use: Student = STUDENT,
        spare: Student = STUDENT,
    ])]
    fn init(context: init::Context) -> (Shared, Local) {
        let init::LocalResources { samples, handed, returned, in_use, spare, .. } = context.local;
        let (sent, came) = samples.split();
        let (hand, take) = handed.split();
        let (give_back, get_back) = returned.split();
        let sampling = Sampling::new(in_use, sent, take, give_back);
        (
            Shared {},
            Local { sampling, learning: Learning::new(context.core.SYST, spare, came, hand, get_back) },
        )
    }

    /// Takes a sample. Nothing delays it, because no task has a higher priority or holds a lock.
    #[task(binds = SysTick, priority = 1, local = [sampling])]
    fn sample(context: sample::Context) {
        let late = clock::end_period();
        context.local.sampling.sample(late);
    }

    #[idle(local = [learning])]
    fn idle(context: idle::Context) -> ! {
        run(|| context.local.learning.run())
    }
}
