//! The program that libFuzzer drives. `ABIDE_FUZZ_TARGET` names the target.
#![no_main]
use std::{env, sync::OnceLock};

use abide_fuzz::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<&'static Target> = OnceLock::new();

fn target() -> &'static Target {
    let name = env::var("ABIDE_FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|target| target.name == name);
    found.expect("ABIDE_FUZZ_TARGET names a target")
}

fuzz_target!(|input: &[u8]| {
    (TARGET.get_or_init(target).run)(input);
});
