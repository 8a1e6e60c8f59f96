//! Chooses the kernels by the target: what a core has beyond its target's baseline is told by `-C target-cpu`.
//!
//! `cfg(target_feature)` does not say it, as Arm's features are not stable.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(kernel_int8, values(\"rows\", \"pairs\", \"quads\"))");
    println!(
        "cargo::rustc-check-cfg=cfg(kernel_asm, values(\"armv6m\", \"armv7m\", \"dsp\", \"mve\", \"riscv\"))"
    );
    println!("cargo::rustc-check-cfg=cfg(kernel_armv8m)");
    println!("cargo::rustc-check-cfg=cfg(kernel_f32, values(\"fpv4\"))");

    let variable = |name| env::var(name).unwrap_or_default();
    let target = variable("TARGET");
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    let cpu = flags.split('\x1f').rev().find_map(|flag| flag.split_once("target-cpu=")).map(|(_, cpu)| cpu);
    let multiplies = variable("CARGO_CFG_TARGET_FEATURE").split(',').any(|feature| feature == "m");

    let (layout, assembly) = match (target.as_str(), cpu) {
        (target, Some("cortex-m55" | "cortex-m85" | "cortex-m52")) if target.starts_with("thumbv8m.main") => {
            ("rows", Some("mve"))
        }
        (target, Some("cortex-m33" | "cortex-m35p")) if target.starts_with("thumbv8m.main") => {
            ("pairs", Some("dsp"))
        }
        (target, _) if target.starts_with("thumbv7em") => ("pairs", Some("dsp")),
        (target, _) if target.starts_with("thumbv7m") || target.starts_with("thumbv8m.main") => {
            ("quads", Some("armv7m"))
        }
        (target, _) if target.starts_with("thumbv6m") || target.starts_with("thumbv8m.base") => {
            ("quads", Some("armv6m"))
        }
        (target, _) if target.starts_with("riscv32") && multiplies => ("quads", Some("riscv")),
        _ => ("rows", None),
    };
    println!("cargo::rustc-cfg=kernel_int8=\"{layout}\"");
    if let Some(assembly) = assembly {
        println!("cargo::rustc-cfg=kernel_asm=\"{assembly}\"");
    }
    if target.starts_with("thumbv8m") {
        println!("cargo::rustc-cfg=kernel_armv8m");
    }
    let single = (target.starts_with("thumb") && target.ends_with("eabihf")).then_some("fpv4");
    if let Some(single) = single {
        println!("cargo::rustc-cfg=kernel_f32=\"{single}\"");
    }

    // Their public names.
    println!("cargo::rustc-env=KERNEL_F32={}", single.unwrap_or("portable"));
    println!("cargo::rustc-env=KERNEL_INT8={}", assembly.unwrap_or("portable"));
    println!("cargo::rustc-env=KERNEL_INT4={}", assembly.filter(|name| *name == "dsp").unwrap_or("portable"));
}
