//! Import of a device's bytes: any bytes give an error or finite parameters of the network's shape.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use microdistill_train::import::{Base, import_bytes};
use microdistill_train::model::Model;

static STUDENT: LazyLock<Model> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/models/watch_small/student.safetensors");
    Model::load(path).expect("the bundled student")
});

fuzz_target!(|bytes: &[u8]| {
    for base in [Base::Like(&STUDENT), Base::Shipped(&STUDENT)] {
        let Ok(learned) = import_bytes(bytes, base) else { continue };
        assert_eq!(learned.model.widths(), STUDENT.widths());
        assert!(learned.changed <= STUDENT.parameters());
        assert!(learned.model.to_bytes().is_ok(), "an imported model can be written");
    }
});
