use super::*;

fn environment(file: &EnvFile, name: &str) -> Vec<(String, String)> {
    file.environments[name].clone().into_iter().collect()
}

#[test]
fn written_files_read_back() {
    let mut file = EnvFile::default();
    let prod = file.environments.entry("prod".into()).or_default();
    for value in ["example.com:7233", "true", "12", "", "a: b", "it's \"quoted\"\n", "#x", "-", "é"] {
        prod.insert(format!("key-{}", prod.len()), value.to_owned());
    }
    file.environments.insert("empty".into(), Environment::new());
    assert_eq!(parse(&file.render()).unwrap(), file);
    assert_eq!(parse(&EnvFile::default().render()).unwrap(), EnvFile::default());
}

#[test]
fn the_form_is_that_of_other_tools() {
    let mut file = EnvFile::default();
    file.environments.entry("prod".into()).or_default().insert("address".into(), "example.com:7233".into());
    assert_eq!(file.render(), "env:\n    prod:\n        address: example.com:7233\n");
}

#[test]
fn hand_written_files_are_read() {
    let text = "# mine\nversion: 1\nother:\n  x: y\nenv:\n  here: # first\n    address: 127.0.0.1:7233 # local\n    \"namespace\": 'it''s'\n\n  there:\n    tls: true\n    empty:\n";
    let file = parse(text).unwrap();
    assert_eq!(
        environment(&file, "here"),
        [("address".into(), "127.0.0.1:7233".into()), ("namespace".into(), "it's".into())]
    );
    assert_eq!(environment(&file, "there"), [("empty".into(), String::new()), ("tls".into(), "true".into())]);
    assert_eq!(file.environments.len(), 2);
}

#[test]
fn other_shapes_are_refused_by_line() {
    for text in [
        "env:\n  a\n",
        "env:\n  a: b\n",
        "env: x\n",
        "env:\n    a:\n  b:\n",
        "env:\n  a:\n    k: {x: 1}\n",
        "env:\n  a:\n    k: 'x\n",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    assert_eq!(parse("env:\n  a\n").unwrap_err().line, 2);
}

#[test]
fn an_environment_must_exist_if_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.yaml");
    assert_eq!(supplied(&path, None).unwrap(), Environment::new());
    assert_eq!(supplied(&path, Some("prod")).unwrap_err().to_string(), "environment \"prod\" not found");
}
