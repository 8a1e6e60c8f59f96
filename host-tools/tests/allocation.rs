//! The training loop does not allocate: the only allocations of an epoch are those of the matrix product, which packs its
//! operands into a buffer, once per call.
#![allow(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use microdistill::optimizer::AdamRates;
use microdistill_train::class_weights::ClassWeights;
use microdistill_train::hyperparameters::Length;
use microdistill_train::network::Activation;
use microdistill_train::teacher::{Examples, Settings, Target, train};
use nalgebra::DMatrix;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps `GlobalAlloc`'s contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps `GlobalAlloc`'s contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn an_epoch_allocates_for_matrix_products_alone() {
    let (rows, batch, layers) = (100, 32, 3);
    let x = DMatrix::from_fn(6, rows, |feature, row| ((feature * 7 + row * 3) % 11) as f32 - 5.0);
    let classes: Vec<usize> = (0..rows).map(|row| row % 3).collect();
    let mut settings = Settings {
        widths: vec![6, 20, 20, 3],
        activation: Activation::Tanh,
        dropout: 0.1,
        rates: AdamRates::DEFAULT,
        batch,
        length: Length::Epochs(2),
        patience: None,
        class_weights: ClassWeights::None,
        seed: 1,
    };
    let examples = Examples { x: &x, target: Target::Classes(&classes) };
    let mut allocations = |epochs| {
        settings.length = Length::Epochs(epochs);
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        let trained = train(&settings, examples, Some(examples), &mut |_| ControlFlow::Continue(()));
        let after = ALLOCATIONS.load(Ordering::Relaxed);
        assert_eq!(trained.map(|trained| trained.history.len()).ok(), Some(epochs));
        after - before
    };
    allocations(1); // warm-up: the first call sets things up
    let epochs = 10;
    let more = allocations(2 + epochs) - allocations(2);
    // One product per layer forward and two backward, except for the input layer; validation is another forward pass.
    let products = rows.div_ceil(batch) * (layers + (2 * layers - 1) + layers);
    assert_eq!(more, epochs * products);
}
