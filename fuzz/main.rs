//! The fuzz targets as a program: `scripts/fuzz` builds it with libFuzzer and runs it, the target's name in `ZOE_FUZZ`. Built
//! without it, it runs the inputs that it is given once: `cargo run --example fuzz -- TARGET FILE…`.

#![cfg_attr(fuzzing, no_main)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a target that does not hold is to panic"
)]

mod targets;

/// The target of that name.
fn target(name: &str) -> targets::Target {
    let found = targets::TARGETS.iter().find(|(known, _)| *known == name);
    found
        .unwrap_or_else(|| panic!("there is no target '{name}'"))
        .1
}

#[cfg(not(fuzzing))]
fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        panic!("say which target, and which inputs");
    };
    for path in arguments {
        target(&name)(&std::fs::read(path).expect("the input can be read"));
    }
}

#[cfg(fuzzing)]
mod engine {
    use std::sync::LazyLock;

    static TARGET: LazyLock<super::targets::Target> = LazyLock::new(|| {
        let name = std::env::var("ZOE_FUZZ").expect("ZOE_FUZZ names the target");
        super::target(&name)
    });

    /// libFuzzer calls this once.
    #[unsafe(no_mangle)]
    extern "C" fn LLVMFuzzerInitialize(_: *const isize, _: *const *const *const u8) -> isize {
        // A panic is a find: libFuzzer sees an abort and saves the input.
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            usual(info);
            std::process::abort();
        }));
        0
    }

    /// libFuzzer calls this with each input.
    #[unsafe(no_mangle)]
    extern "C" fn LLVMFuzzerTestOneInput(data: *const u8, size: usize) -> i32 {
        let input = if size == 0 {
            &[]
        } else {
            // SAFETY: libFuzzer gives so many bytes that nobody changes meanwhile.
            unsafe { std::slice::from_raw_parts(data, size) }
        };
        TARGET(input);
        0
    }
}
