//! Generates the wire types from the descriptor set that `temporalio-protos` exports to its direct dependents.
use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;
use prost_types::FileDescriptorSet;

/// Packages that become Rust types here; the descriptor set also holds SDK-internal and cloud packages.
const PACKAGES: [&str; 4] = ["temporal.api.", "google.rpc", "google.api", "google.protobuf"];
const LEFT_OUT: [&str; 1] = ["temporal.api.cloud."];

fn main() -> Result<(), Box<dyn Error>> {
    let descriptors = PathBuf::from(env::var("DEP_TEMPORALIO_PROTOS_DESCRIPTOR_PATH")?);
    println!("cargo:rerun-if-changed={}", descriptors.display());
    println!("cargo:rerun-if-changed=build.rs");
    let mut set = FileDescriptorSet::decode(fs::read(&descriptors)?.as_slice())?;
    set.file.retain(|file| {
        let package = file.package();
        PACKAGES.iter().any(|p| package.starts_with(p)) && !LEFT_OUT.iter().any(|p| package.starts_with(p))
    });
    for file in &mut set.file {
        file.source_code_info = None; // comments of another project's files are not ours to carry
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), set.encode_to_vec())?;
    tonic_prost_build::configure()
        .bytes(".")
        .btree_map(".") // the order of encoded bytes must not depend on a hash seed
        .build_server(true)
        .build_client(true)
        .include_file("api.rs")
        .compile_fds(set)?;
    Ok(())
}
