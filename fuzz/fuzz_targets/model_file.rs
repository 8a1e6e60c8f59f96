//! Model files: any bytes give an error or a model that predicts, exports, and reads the same after it is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use microdistill_train::export::export;
use microdistill_train::model::Model;

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = Model::from_bytes(bytes) else { return };
    let outputs = model.logits(&vec![0.5; model.features().len()]);
    assert_eq!(outputs.len(), model.outputs());
    let written = model.to_bytes().expect("a loaded model can be written");
    let again = Model::from_bytes(&written).expect("a written model can be read");
    assert_eq!(again.to_bytes().expect("as before"), written);
    // The export refuses ensembles.
    let _ = export(&model, "Model", "");
});
