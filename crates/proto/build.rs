//! Generates the wire types from the descriptor set that `temporalio-protos` exports to its direct dependents.
use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;
use prost_types::FileDescriptorSet;

/// Packages that become Rust types here; the descriptor set also holds SDK-internal and cloud packages.
const PACKAGES: [&str; 4] = ["temporal.api.", "google.rpc", "google.api", "google.protobuf"];
const LEFT_OUT: [&str; 1] = ["temporal.api.cloud."];

/// Attributes that would make every event as large as they are; the most frequent kinds stay inline.
const LARGE_EVENTS: [&str; 5] = [
    "workflow_execution_started",
    "workflow_execution_continued_as_new",
    "start_child_workflow_execution_initiated",
    "workflow_task_failed",
    "child_workflow_execution_failed",
];

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
    let mut builder = tonic_prost_build::configure();
    for large in LARGE_EVENTS {
        builder = builder.boxed(format!(".temporal.api.history.v1.HistoryEvent.attributes.{large}_event_attributes"));
    }
    builder
        .bytes(".")
        .btree_map(".") // the order of encoded bytes must not depend on a hash seed
        .build_server(true)
        .build_client(true)
        .include_file("api.rs")
        .compile_fds(set)?;
    Ok(())
}
