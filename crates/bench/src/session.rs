//! All workloads against all servers, taking turns.
use std::{
    io::{self, Write},
    path::Path,
};

use abide_bench::{
    Figures, Load, Server, Workload,
    measure::SyncProbe,
    report::{Ratio, Report, bars, details, header, median, row},
};
use anyhow::Context;

use crate::arguments::RunArguments;

pub(crate) async fn run(arguments: &RunArguments) -> anyhow::Result<()> {
    let (workloads, servers) = (arguments.workloads()?, arguments.servers());
    let (load, data_root) = (arguments.load()?, arguments.data_root());
    let mut report = Report::default();
    say(&header())?;
    for workload in &workloads {
        let mut ratios = Vec::new();
        for _ in 0..arguments.rounds() {
            let mut round: Vec<Figures> = Vec::new();
            for server in &servers {
                let failed = || format!("{} on {}", workload.name(), server.name());
                let figures = measure(workload, server, &load, &data_root).await.with_context(failed)?;
                say(&row(&figures))?;
                for detail in details(&figures) {
                    say(&format!("{:<25}{detail}", ""))?;
                }
                round.push(figures);
            }
            // The ceiling stands below the line; of two programs the one to compare with does.
            if let [first, second] = &round[..] {
                let ceiling_is_second = matches!(servers[..], [_, Server::Ceiling]);
                ratios.push(if ceiling_is_second { Ratio::new(first, second) } else { Ratio::new(second, first) });
            }
            // The numbers to hold are one server's, not those of two that are compared.
            if let [Server::Program(_) | Server::Running(_)] | [_, Server::Ceiling] = servers[..] {
                report.bars.extend(round.first().map(bars::of_figures).unwrap_or_default());
            }
            report.figures.append(&mut round);
        }
        for ratio in &ratios {
            say(&ratio.to_string())?;
        }
        if let (2.., Some(median)) = (ratios.len(), median(&ratios)) {
            say(&format!("{median}  (median)"))?;
        }
        if matches!(servers[..], [_, Server::Ceiling]) {
            report.bars.extend(ratios.iter().filter_map(bars::of_ratio));
        }
        report.ratios.append(&mut ratios);
    }
    for bar in &report.bars {
        say(&bar.to_string())?;
    }
    match &arguments.json {
        Some(path) => Ok(report.write(path)?),
        None => Ok(()),
    }
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
