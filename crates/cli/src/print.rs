//! What a command prints: cards, tables and sentences in text, documents in JSON.

mod card;
mod table;
mod time;

use std::io::{self, IsTerminal, Write};

use abide_proto::json::Style;
use clap::ValueEnum;
use prost_types::Timestamp;
use serde_json::Value;

pub(crate) use card::Card;
pub(crate) use table::{Rows, Table};

use crate::{clock, error::CliError};

/// `--output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputForm {
    #[default]
    Text,
    Json,
    Jsonl,
    None,
}

/// `--time-format`; JSON always has RFC 3339.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimeFormat {
    #[default]
    Relative,
    Iso,
    Raw,
}

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    Always,
    Never,
    #[default]
    Auto,
}

/// Writes to stdout in the form that the user asked for.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    form: OutputForm,
    time: TimeFormat,
    coloured: bool,
    payloads: Style,
}

impl Printer {
    pub(crate) fn new(form: OutputForm, time: TimeFormat, colour: Colour, payloads: Style) -> Self {
        let coloured = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => io::stdout().is_terminal(),
        };
        Self { form, time, coloured, payloads }
    }

    pub(crate) fn is_text(&self) -> bool {
        self.form == OutputForm::Text
    }

    pub(crate) fn is_json(&self) -> bool {
        matches!(self.form, OutputForm::Json | OutputForm::Jsonl)
    }

    /// How payloads are to be shown in JSON.
    pub(crate) fn payloads(&self) -> Style {
        self.payloads
    }

    /// The one document of a command, or one line of several with `jsonl`; nothing in text.
    pub(crate) fn document(&self, value: &Value) {
        match self.form {
            OutputForm::Json => self.write(&format!("{value:#}\n")),
            OutputForm::Jsonl => self.write(&format!("{value}\n")),
            OutputForm::Text | OutputForm::None => {}
        }
    }

    /// A list: one array in `json`, a line for each in `jsonl`.
    pub(crate) fn documents(&self, values: Vec<Value>) {
        match self.form {
            OutputForm::Jsonl => values.iter().for_each(|value| self.document(value)),
            _ => self.document(&Value::Array(values)),
        }
    }

    /// A line of text; nothing in JSON.
    pub(crate) fn say(&self, text: &str) {
        if self.is_text() {
            self.write(&format!("{text}\n"));
        }
    }

    /// Text that no form of output has a say in.
    pub(crate) fn raw(&self, text: &str) {
        self.write(text);
    }

    /// Asks the user on stdin whether to go on, unless `yes` says so; in JSON it must.
    pub(crate) fn confirm(&self, what: &str, yes: bool) -> Result<(), CliError> {
        self.ask(&format!("{what}? y/N "), yes, |answer| matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// As [`Printer::confirm`], for what cannot be undone: the user types the name of what it is done to.
    pub(crate) fn confirm_by_name(&self, what: &str, name: &str, yes: bool) -> Result<(), CliError> {
        self.ask(&format!("{what}? Type {name} to confirm: "), yes, |answer| answer == name)
    }

    fn ask(&self, question: &str, yes: bool, confirms: impl FnOnce(&str) -> bool) -> Result<(), CliError> {
        if yes {
            return Ok(());
        }
        if self.is_json() {
            return Err(CliError::options("must bypass the question with --yes when the output is JSON"));
        }
        self.write(question);
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map_err(|error| CliError::options(error.to_string()))?;
        if confirms(answer.trim()) { Ok(()) } else { Err(CliError::options("user denied confirmation")) }
    }

    /// What the next card or table shows.
    pub(crate) fn heading(&self, text: &str) {
        let text = self.painted(text, MAGENTA);
        self.say(&text);
    }

    pub(crate) fn card(&self, card: &Card) {
        let card = card.render(&|key| self.painted(key, MAGENTA));
        self.say(card.trim_end_matches('\n'));
    }

    pub(crate) fn table(&self, table: &Table) {
        let table = table.render(&|head| self.painted(head, MAGENTA));
        self.say(table.trim_end_matches('\n'));
    }

    /// Begins a table whose rows are not known yet; the widths are those of each column.
    pub(crate) fn rows(&self, heads: &[(&str, usize)]) -> Rows {
        let rows = Rows::new(heads);
        self.say(&rows.line(heads.iter().map(|(head, _)| *head), &|head| self.painted(head, MAGENTA)));
        rows
    }

    pub(crate) fn row<'a>(&self, rows: &Rows, cells: impl IntoIterator<Item = &'a str>) {
        self.say(&rows.line(cells, &str::to_owned));
    }

    /// A time in the form that the user asked for.
    pub(crate) fn time(&self, time: &Timestamp) -> String {
        match self.time {
            TimeFormat::Relative => time::relative(time, &clock::now()),
            TimeFormat::Iso => time::iso(time),
            TimeFormat::Raw => time::raw(time),
        }
    }

    /// A time to the second, whatever the form.
    pub(crate) fn iso_time(&self, time: &Timestamp) -> String {
        time::iso(time)
    }

    fn painted(&self, text: &str, colour: &str) -> String {
        if self.coloured { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A reader that has gone, as `head` has, is no failure of the command.
    fn write(&self, text: &str) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

const MAGENTA: &str = "35";
