//! All workloads against all servers, taking turns.
use std::{
    io::{self, Write},
    path::Path,
};

use abide_bench::{
    Figures, Load, Server, Workload,
    measure::SyncProbe,
    report::{Comparison, Ratio, Report, bars, comparison_table, details, header, row},
};
use anyhow::Context;

use crate::arguments::RunArguments;

pub(crate) async fn run(arguments: &RunArguments) -> anyhow::Result<()> {
    let (workloads, servers) = (arguments.workloads()?, arguments.servers());
    let (load, data_root) = (arguments.load()?, arguments.data_root());
    let has_ceiling = servers.len() == 2 && matches!(servers[1].1, Server::Ceiling);
    // The numbers to hold are one server's, not those of two that are compared.
    let has_bars = !matches!(servers[0].1, Server::Ceiling) && (has_ceiling || servers.len() == 1);
    let mut report = Report::default();
    say(&header())?;
    for workload in &workloads {
        let mut ratios = Vec::new();
        for number in 0..arguments.rounds() {
            let mut round: Vec<(usize, Figures)> = Vec::new();
            for turn in turns(servers.len(), number) {
                let (name, server) = &servers[turn];
                let failed = || format!("{} on {name}", workload.name());
                let mut figures = measure(workload, server, &load, &data_root).await.with_context(failed)?;
                figures.server.clone_from(name);
                say(&row(&figures))?;
                for detail in details(&figures) {
                    say(&format!("{:<25}{detail}", ""))?;
                }
                round.push((turn, figures));
            }
            round.sort_by_key(|(turn, _)| *turn);
            if let [(_, first), (_, second)] = &round[..] {
                ratios.push(Ratio::new(first, second));
            }
            if has_bars {
                report.bars.extend(round.first().map(|(_, figures)| bars::of_figures(figures)).unwrap_or_default());
            }
            report.figures.extend(round.into_iter().map(|(_, figures)| figures));
        }
        for ratio in &ratios {
            say(&ratio.to_string())?;
        }
        if has_ceiling {
            report.bars.extend(ratios.iter().filter_map(bars::of_ratio));
        }
        report.comparisons.extend(Comparison::of(&ratios));
        report.ratios.append(&mut ratios);
    }
    if arguments.rounds() > 1 {
        for line in comparison_table(&report.comparisons) {
            say(&line)?;
        }
    }
    for bar in &report.bars {
        say(&bar.to_string())?;
    }
    match &arguments.json {
        Some(path) => Ok(report.write(path)?),
        None => Ok(()),
    }
}

/// Who comes when in a round. Every other round begins with the last, so that a machine that grows slower or faster
/// meanwhile favours nobody.
fn turns(servers: usize, round: usize) -> Vec<usize> {
    let mut turns: Vec<usize> = (0..servers).collect();
    if !round.is_multiple_of(2) {
        turns.reverse();
    }
    turns
}

/// A server of its own for each measurement, so that none sees what another left behind.
async fn measure(workload: &Workload, server: &Server, load: &Load, data_root: &Path) -> anyhow::Result<Figures> {
    let (workload, probe) = match server {
        Server::Ceiling => (workload.for_ceiling(), None),
        _ => (*workload, Some(SyncProbe::measure(data_root).context("the time of a sync")?)),
    };
    let mut target = server.target(data_root).await?;
    let figures = workload.run(&target, load).await;
    let mut figures = figures.map_err(|error| target.ended().unwrap_or(error))?;
    figures.sync_p50_ms = probe.filter(|_| workload.is_one_at_a_time()).map(|probe| probe.latency.p50_ms);
    Ok(figures)
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::turns;

    #[test]
    fn who_was_first_is_last_in_the_next_round() {
        assert_eq!((0..3).map(|round| turns(2, round)).collect::<Vec<_>>(), [[0, 1], [1, 0], [0, 1]]);
    }
}
