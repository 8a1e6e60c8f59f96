//! Inference by microdistill.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use microdistill::argmax;
use microdistill_peers::measure;

#[allow(missing_docs)]
mod model {
    include!(env!("MODEL"));
}

#[entry]
fn main() -> ! {
    let inputs = model::GOLDEN.each_ref().map(|vector| vector.input);
    measure(&inputs, |input| argmax(&model::run(input)), |input| model::decode(&model::run(input)))
}
