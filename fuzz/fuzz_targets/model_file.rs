//! Model files: whatever the bytes, an error or a model that predicts, is exported, and is written and read again as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use microdistill_train::export::export;
use microdistill_train::model::Model;

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = Model::from_bytes(bytes) else { return };
    let outputs = model.logits(&vec![0.5; model.features().len()]);
    assert_eq!(outputs.len(), model.outputs());
    let written = model.to_bytes().expect("what was read can be written");
    let again = Model::from_bytes(&written).expect("what was written can be read");
    assert_eq!(again.to_bytes().expect("as before"), written);
    // An ensemble is refused.
    let _ = export(&model, "Model", "");
});
