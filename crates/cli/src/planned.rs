//! Commands of the reference that are still to come. Their flags are checked, then the server is reached, and then they say so.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::{
    context::Context,
    done::Done,
    error::CliError,
    flags::{ClientFlags, CommonFlags},
    span::Span,
};

mod table;

use table::{COMMANDS, SETS};

/// Adds the commands, hidden, to those that are there.
pub(crate) fn added(root: Command) -> Command {
    COMMANDS.iter().fold(root, |root, (path, flags)| {
        let path: Vec<&'static str> = path.split(' ').collect();
        add(root, &path, flags, 0)
    })
}

fn add(command: Command, path: &[&'static str], flags: &'static str, depth: usize) -> Command {
    let [name, below @ ..] = path else { return command.args(flags.split_whitespace().flat_map(arguments)) };
    if command.find_subcommand(name).is_some() {
        return command.mut_subcommand(name, |inner| add(inner, below, flags, depth + 1));
    }
    let mut new = Command::new(*name).hide(true);
    if !below.is_empty() {
        new = new.subcommand_required(true);
    }
    if depth == 0 {
        new = ClientFlags::augment_args(new);
    }
    command.subcommand(add(new, below, flags, depth + 1))
}

/// A flag as in [`COMMANDS`]: its name, then `,x` for a short form, `!` if it must be given, and the kind of its values.
fn arguments(spec: &'static str) -> Vec<Arg> {
    if let Some(set) = spec.strip_prefix('@') {
        let (_, flags) = SETS.iter().find(|(name, _)| *name == set).expect("the table names only sets that it has");
        return flags.split_whitespace().flat_map(arguments).collect();
    }
    let end = spec.find([',', '!', ':']).unwrap_or(spec.len());
    let (name, rest) = spec.split_at(end);
    let (rest, kind) = rest.split_once(':').unwrap_or((rest, "text"));
    let argument = Arg::new(name).long(name).required(rest.contains('!'));
    let argument = match rest.strip_prefix(',').and_then(|rest| rest.chars().next()) {
        Some(short) => argument.short(short),
        None => argument,
    };
    let argument = argument.action(ArgAction::Append);
    vec![match kind {
        "bool" => argument.action(ArgAction::SetTrue),
        "int" => argument.value_parser(clap::value_parser!(i64)).allow_negative_numbers(true),
        "float" => argument.value_parser(clap::value_parser!(f64)),
        "duration" => argument.value_parser(clap::value_parser!(Span)),
        "time" => argument.value_parser(|text: &str| text.parse::<prost_types::Timestamp>()),
        "text" => argument,
        choices => argument.value_parser(clap::builder::PossibleValuesParser::new(choices.split('|'))),
    }]
}

/// A planned command that was called.
#[derive(Debug)]
pub(crate) struct Planned {
    path: String,
    common: CommonFlags,
    client: ClientFlags,
}

/// The planned command of these matches, if it is one.
pub(crate) fn called(matches: &ArgMatches, path: &[&str]) -> Option<Result<Planned, clap::Error>> {
    let path = path.join(" ");
    let (_, group) = matches.subcommand()?;
    COMMANDS.iter().any(|(planned, _)| *planned == path).then(|| {
        let (common, client) = (CommonFlags::from_arg_matches(matches)?, ClientFlags::from_arg_matches(group)?);
        Ok(Planned { path, common, client })
    })
}

impl Planned {
    pub(crate) fn run(self) -> Done {
        Context::new(&self.client, &self.common)?.run(async |context| {
            context.connect().await?;
            Err(CliError::options(format!("{} is not supported yet", self.path)))
        })
    }
}
