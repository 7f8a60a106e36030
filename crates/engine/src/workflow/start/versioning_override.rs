//! A versioning override on a start: what is wrong with it is told in the words for it, and as no worker has a version
//! here, one that pins a version finds it absent (spec §3.25, §3.37.1).
use abide_proto::temporal::api::deployment::v1::WorkerDeploymentVersion;

use crate::{
    Refusal,
    api::{
        enums::VersioningBehavior as Behavior,
        workflow::{
            VersioningOverride,
            versioning_override::{Override, PinnedOverrideBehavior},
        },
    },
};

/// Always a refusal: pinning needs versions, and the other kinds are not built.
pub(super) fn refusal(wanted: &VersioningOverride, task_queue: &str) -> Refusal {
    match pinned(wanted) {
        Ok(Some(version)) => {
            let WorkerDeploymentVersion { deployment_name, build_id } = version;
            Refusal::FailedPrecondition(format!(
                "Pinned version '{deployment_name}:{build_id}' is not present in task queue '{task_queue}' of type 'Workflow'"
            ))
        }
        Ok(None) => Refusal::Unimplemented("a versioning override is not supported by this server".into()),
        Err(text) => Refusal::invalid(text),
    }
}

/// The version that is pinned, if one is.
fn pinned(wanted: &VersioningOverride) -> Result<Option<WorkerDeploymentVersion>, String> {
    match &wanted.r#override {
        Some(Override::Pinned(pinned)) => {
            let version = pinned.version.clone().ok_or("must provide version if override is pinned.")?;
            if pinned.behavior == PinnedOverrideBehavior::Unspecified as i32 {
                return Err("must specify pinned override behavior if override is pinned.".into());
            }
            Ok(Some(version))
        }
        Some(_) => Ok(None),
        None => old_style(wanted),
    }
}

#[allow(deprecated)]
fn old_style(wanted: &VersioningOverride) -> Result<Option<WorkerDeploymentVersion>, String> {
    let version = &wanted.pinned_version;
    let is_pinned = wanted.behavior == Behavior::Pinned as i32;
    if !is_pinned && !version.is_empty() {
        return Err("only provide pinned version if behavior is 'PINNED'".into());
    }
    if !is_pinned || (version.is_empty() && wanted.deployment.is_some()) {
        return Ok(None);
    }
    if version.is_empty() {
        return Err("must provide deployment (deprecated) or pinned version if behavior is 'PINNED'".into());
    }
    let (deployment_name, build_id) = version.split_once('.').ok_or_else(|| {
        format!("invalid version string {version:?}, expected format is \"<deployment_name>.<build_id>\"")
    })?;
    let (deployment_name, build_id) = (deployment_name.to_owned(), build_id.to_owned());
    Ok(Some(WorkerDeploymentVersion { deployment_name, build_id }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(deprecated)]
    fn an_old_override_names_its_version_in_one_text() {
        let wanted = |behavior: Behavior, version: &str| VersioningOverride {
            behavior: behavior as i32,
            pinned_version: version.into(),
            ..Default::default()
        };
        let absent = "Pinned version 'd:b.c' is not present in task queue 'tq' of type 'Workflow'";
        assert_eq!(refusal(&wanted(Behavior::Pinned, "d.b.c"), "tq"), Refusal::FailedPrecondition(absent.into()));
        let malformed = "invalid version string \"d\", expected format is \"<deployment_name>.<build_id>\"";
        assert_eq!(refusal(&wanted(Behavior::Pinned, "d"), "tq"), Refusal::invalid(malformed));
        assert!(matches!(refusal(&wanted(Behavior::AutoUpgrade, ""), "tq"), Refusal::Unimplemented(_)));
    }
}
