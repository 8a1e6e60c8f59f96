//! Contract of every reader of another tool's models: an error, or a model that predicts and can be written, in little time.

use std::time::{Duration, Instant};

use microdistill_train::foreign::{Options, from_bytes};
use microdistill_train::network::Activation;

/// Longest time for one file. The fuzzer's build is slower than a release.
const TIME: Duration = Duration::from_secs(20);

pub fn check(bytes: &[u8]) {
    let start = Instant::now();
    for dequantize in [false, true] {
        let options = Options { activation: Some(Activation::Relu), dequantize, ..Options::default() };
        if let Ok(imported) = from_bytes(bytes, &options) {
            let model = imported.model;
            assert_eq!(model.logits(&vec![0.5; model.features().len()]).len(), model.outputs());
            assert!(model.to_bytes().is_ok(), "an imported model can be written");
        }
    }
    assert!(start.elapsed() < TIME, "{:?} for {} bytes", start.elapsed(), bytes.len());
}
