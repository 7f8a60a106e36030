//! Server reflection, both versions, from the descriptors of the generated types.
use abide_proto::DESCRIPTORS;
use tonic_reflection::{pb, server::Builder};

use super::streams::{Stream, lazy};
use crate::frontend::{OPERATOR_SERVICE, WORKFLOW_SERVICE};

pub(super) const V1: &str = "grpc.reflection.v1.ServerReflection";
pub(super) const V1_ALPHA: &str = "grpc.reflection.v1alpha.ServerReflection";

/// Decoding the descriptors takes some milliseconds and megabytes, so it waits for the first caller.
pub(super) fn v1() -> Stream {
    lazy(|| builder().build_v1().expect("the descriptors are those that the types are made from"))
}

pub(super) fn v1_alpha() -> Stream {
    lazy(|| builder().build_v1alpha().expect("the descriptors are those that the types are made from"))
}

fn builder() -> Builder<'static> {
    [WORKFLOW_SERVICE.name, OPERATOR_SERVICE.name, super::health::SERVICE, V1, V1_ALPHA]
        .into_iter()
        .fold(Builder::configure(), Builder::with_service_name)
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(pb::v1alpha::FILE_DESCRIPTOR_SET)
}
