//! The command line: parsing it as users of the official client expect, and what is said about mistakes in it.

use std::{collections::BTreeSet, error::Error, ffi::OsString, path::Path};

use clap::{
    Arg, ArgAction, Command, CommandFactory, FromArgMatches,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    Stop,
    command::{self, Root},
    planned::{self, Planned},
    settings::env_file::{self, Environment},
};

/// A command line without mistakes.
#[derive(Debug)]
pub(crate) enum Parsed {
    Command(Box<Root>),
    Planned(Box<Planned>),
}

impl Parsed {
    pub(crate) fn run(self) -> Result<(), Stop> {
        match self {
            Self::Command(root) => command::run(*root),
            Self::Planned(planned) => Ok(planned.run()?),
        }
    }
}

/// Parses the arguments, the first of which is the program's name.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Parsed, Stop> {
    let program = arguments.first().and_then(|path| Path::new(path).file_stem()?.to_str()).unwrap_or("abide");
    let command = prepared(planned::added(Root::command().bin_name(program).name(program.to_owned())));
    let texts: Vec<&str> = arguments.iter().skip(1).filter_map(|argument| argument.to_str()).collect();
    let line = Line::read(&command, &texts);
    let command = if line.path.first() == Some(&"env") { command } else { supplied(command, &environment(&line)?) };
    let failed = |error: clap::Error| {
        if Stop::is_shown(error.kind()) {
            Stop::Shown(error.render().to_string())
        } else {
            Stop::Failed(message(&error, &line, program))
        }
    };
    let matches = command.try_get_matches_from(arguments).map_err(failed)?;
    match planned::called(&matches, &line.path) {
        Some(planned) => Ok(Parsed::Planned(Box::new(planned.map_err(failed)?))),
        None => Ok(Parsed::Command(Box::new(Root::from_arg_matches(&matches).map_err(failed)?))),
    }
}

/// Lets every switch take a value, as in `--yes=false`.
fn prepared(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        if !matches!(argument.get_action(), ArgAction::SetTrue) {
            return argument;
        }
        argument
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .default_value("false")
            .hide_default_value(true)
            .hide_possible_values(true)
            .value_name("BOOL")
    });
    command.mut_subcommands(prepared)
}

/// Lets the environment's values stand in for flags that are not given.
fn supplied(command: Command, environment: &Environment) -> Command {
    if environment.is_empty() {
        return command;
    }
    let command = command.mut_args(|argument| match argument.get_long().and_then(|name| environment.get(name)) {
        Some(value) => argument.required(false).default_value(value.clone()),
        None => argument,
    });
    command.mut_subcommands(|command| supplied(command, environment))
}

fn environment(line: &Line<'_>) -> Result<Environment, Stop> {
    let (path, name) = env_file::chosen(line.env_file.map(Path::new), line.env);
    Ok(env_file::supplied(&path, name.as_deref())?)
}

/// What must be known of a command line before it is parsed.
#[derive(Debug, Default)]
struct Line<'a> {
    /// The names of the groups and the command.
    path: Vec<&'a str>,
    env: Option<&'a str>,
    env_file: Option<&'a str>,
    last: Option<&'a str>,
    /// How many arguments the command may have that are no flags.
    positionals: usize,
}

impl<'a> Line<'a> {
    fn read(root: &Command, arguments: &[&'a str]) -> Self {
        let mut line = Self { last: arguments.last().copied(), ..Self::default() };
        let (mut current, mut above) = (root, Vec::new());
        let mut rest = arguments.iter().copied();
        while let Some(argument) = rest.next() {
            if argument == "--" {
                break;
            }
            if argument.starts_with('-') {
                let (flag, mut value) =
                    argument.split_once('=').map_or((argument, None), |(flag, value)| (flag, Some(value)));
                let known = above.iter().chain([&current]).find_map(|command| find(command, flag));
                if value.is_none() && known.is_some_and(takes_value) {
                    value = rest.next();
                }
                match flag {
                    "--env" => line.env = value,
                    "--env-file" => line.env_file = value,
                    _ => {}
                }
            } else if let Some(command) = current.find_subcommand(argument) {
                line.path.push(argument);
                above.push(current);
                current = command;
            }
        }
        line.positionals = current.get_positionals().count();
        line
    }
}

fn find<'a>(command: &'a Command, flag: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|argument| match flag.strip_prefix("--") {
        Some(long) => argument.get_long_and_visible_aliases().is_some_and(|names| names.contains(&long)),
        None => argument.get_short().is_some_and(|short| flag.len() == 2 && flag.ends_with(short)),
    })
}

fn takes_value(argument: &Arg) -> bool {
    argument.get_action().takes_values() && !argument.is_require_equals_set()
}

/// One line about a mistake, which names the flags.
fn message(error: &clap::Error, line: &Line<'_>, program: &str) -> String {
    let text = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let path = [&[program], line.path.as_slice()].concat().join(" ");
    let (argument, value) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue));
    match error.kind() {
        ErrorKind::MissingRequiredArgument => {
            let missing = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(arguments)) => arguments.iter().map(|one| quoted_name(one)).collect(),
                _ => BTreeSet::new(),
            };
            format!("required flag(s) {} not set", missing.into_iter().collect::<Vec<_>>().join(", "))
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            format!("unknown command: {path} is a group of commands, see {path} --help")
        }
        ErrorKind::InvalidSubcommand => {
            let given = text(ContextKind::InvalidSubcommand);
            format!("unknown command {given:?} for {path}{}", suggestion(error, ContextKind::SuggestedSubcommand))
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            format!("unknown flag: {argument}{}", suggestion(error, ContextKind::SuggestedArg))
        }
        ErrorKind::UnknownArgument if line.positionals > 0 => {
            format!("too many arguments: {path} accepts at most {}", line.positionals)
        }
        ErrorKind::UnknownArgument => format!("unknown command {argument:?} for {path}"),
        ErrorKind::InvalidValue if value.is_empty() => {
            let typed = line.last.filter(|last| last.starts_with('-')).unwrap_or(&argument);
            format!("flag needs an argument: {typed}")
        }
        ErrorKind::InvalidValue => {
            let choices = text(ContextKind::ValidValue);
            format!("invalid argument {value:?} for {}: must be one of {choices}", flag_name(&argument))
        }
        ErrorKind::ValueValidation => {
            let why = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            format!("invalid argument {value:?} for {}{why}", flag_name(&argument))
        }
        _ => error.render().to_string().trim_start_matches("error: ").lines().next().unwrap_or_default().to_owned(),
    }
}

fn suggestion(error: &clap::Error, kind: ContextKind) -> String {
    error.get(kind).map(|name| format!(" (did you mean {name}?)")).unwrap_or_default()
}

/// `--name <VALUE>` without the value.
fn flag_name(argument: &str) -> &str {
    argument.split([' ', '[', '=']).next().unwrap_or_default()
}

fn quoted_name(argument: &str) -> String {
    format!("{:?}", flag_name(argument).trim_start_matches('-'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
