//! Measures the inference of a network by any library and prints its outputs.
#![no_std]

use core::hint::black_box;

use defmt::println;
use microdistill_programs::{Meter, Outcome, Tick, Watch};
use microdistill_qemu_mps2::{meter, run};

/// Prints how long `class` takes for the `inputs` and how deep its stack is, then the bits of the `outputs` for each input.
/// Ends the program.
pub fn measure<I, const OUTPUTS: usize>(
    inputs: &[I],
    class: impl Fn(&I) -> usize,
    outputs: impl Fn(&I) -> [f32; OUTPUTS],
) -> ! {
    run(|| meter().map_or(Outcome::Failed, |meter| measure_by(meter, inputs, class, outputs)))
}

fn measure_by<M: Meter, I, const OUTPUTS: usize>(
    mut meter: M,
    inputs: &[I],
    class: impl Fn(&I) -> usize,
    outputs: impl Fn(&I) -> [f32; OUTPUTS],
) -> Outcome {
    if let Tick::Picoseconds(picoseconds) = M::TICK {
        println!("tick: {} ps", picoseconds);
    }
    let mut watch = Watch::new(&mut meter);
    let ticks: u64 = inputs.iter().map(|input| watch.time(|| class(black_box(input)))).sum();
    let stack = M::stack(|| {
        black_box(inputs.first().map(|input| class(black_box(input))));
    });
    println!("inferences: {}", inputs.len());
    println!("network: {} ticks", ticks);
    println!("inference stack: {} bytes", stack);
    for (index, input) in inputs.iter().enumerate() {
        println!("row {}: {}", index, outputs(input).map(f32::to_bits));
    }
    Outcome::Passed
}
