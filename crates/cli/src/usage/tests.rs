use super::*;
use crate::command::Command as Kind;

fn arguments(line: &str) -> Vec<OsString> {
    ["abide"].into_iter().chain(line.split_whitespace()).map(Into::into).collect()
}

fn parsed(arguments: &[OsString]) -> Result<Root, Stop> {
    match parse(arguments)? {
        Parsed::Command(root) => Ok(*root),
        Parsed::Planned(planned) => panic!("planned: {planned:?}"),
    }
}

fn error(line: &str) -> String {
    match parse(&arguments(line)).unwrap_err() {
        Stop::Failed(text) => text,
        Stop::Shown(text) => panic!("shown: {text}"),
    }
}

#[test]
fn missing_flags_are_named_together_in_order() {
    assert_eq!(error("workflow start"), r#"required flag(s) "task-queue", "type" not set"#);
    assert_eq!(error("workflow describe"), r#"required flag(s) "workflow-id" not set"#);
}

#[test]
fn bad_values_name_their_flag() {
    assert_eq!(
        error("workflow describe -w a -o xml"),
        r#"invalid argument "xml" for --output: must be one of text, json, jsonl, none"#
    );
    assert!(
        error("workflow describe -w a --command-timeout 5")
            .starts_with(r#"invalid argument "5" for --command-timeout: "#)
    );
    assert!(error("workflow describe -w a --tls=maybe").starts_with(r#"invalid argument "maybe" for --tls"#));
    assert_eq!(error("workflow describe -w"), "flag needs an argument: -w");
}

#[test]
fn unknown_words_are_told_apart() {
    assert!(error("workflow describe -w a --nope").starts_with("unknown flag: --nope"));
    assert!(error("workflow fly").starts_with(r#"unknown command "fly" for abide workflow"#));
    assert_eq!(error("workflow describe -w a extra"), r#"unknown command "extra" for abide workflow describe"#);
    assert_eq!(
        error("operator namespace describe default extra"),
        "too many arguments: abide operator namespace describe accepts at most 1"
    );
    assert!(error("").starts_with("unknown command"));
    assert!(error("workflow").starts_with("unknown command"));
}

#[test]
fn help_and_version_are_no_mistakes() {
    for line in ["--help", "help workflow", "workflow start --help", "-v", "--version"] {
        assert!(matches!(parse(&arguments(line)), Err(Stop::Shown(_))), "{line}");
    }
}

#[test]
fn switches_take_a_value_and_flags_may_stand_before_the_command() {
    let root = parsed(&arguments("--output json workflow --namespace ns cancel -w a --yes=false")).unwrap();
    assert!(root.common.printer().is_json());
    let Kind::Workflow(_) = root.command else { panic!("another command") };
    let root = parsed(&arguments("workflow describe -w a --disable-config-file -o none")).unwrap();
    assert!(root.common.disable_config_file);
}

#[test]
fn an_environment_stands_in_for_flags() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.yaml");
    std::fs::write(&path, "env:\n  here:\n    type: Flow\n    task-queue: tq\n    output: json\n").unwrap();
    let file = format!("--env-file {}", path.display());
    let root = parsed(&arguments(&format!("workflow start --env here {file}"))).unwrap();
    assert!(root.common.printer().is_json());
    let root = parsed(&arguments(&format!("workflow start --env=here {file} -o text"))).unwrap();
    assert!(root.common.printer().is_text());
    assert_eq!(error(&format!("workflow start --env gone {file}")), "environment \"gone\" not found");
    assert!(parsed(&arguments(&format!("env get --env gone {file}"))).is_ok());
}

#[test]
fn planned_commands_check_their_flags() {
    assert_eq!(error("schedule create -s s"), r#"required flag(s) "task-queue", "type" not set"#);
    assert_eq!(error("worker deployment describe"), r#"required flag(s) "name" not set"#);
    assert!(
        error("schedule backfill -s s --start-time 2024-13-01T00:00:00Z --end-time 2024-01-01T00:00:00Z")
            .contains("--start-time")
    );
    assert!(error("schedule").starts_with("unknown command"));
    let line = "schedule list -o none --address a:1";
    assert!(matches!(parse(&arguments(line)), Ok(Parsed::Planned(_))));
}
