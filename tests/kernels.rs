//! Names of the kernels chosen for the target.

use microdistill::kernel::{self, int4, int8};

#[test]
fn desktops_have_the_portable_kernels() {
    assert_eq!([kernel::NAME_F32, int8::NAME, int4::NAME], ["portable"; 3]);
}
