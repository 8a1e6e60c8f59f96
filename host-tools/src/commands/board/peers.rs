//! `microdistill board bench --peers`

use anyhow::Result;
use microdistill_boards::Profile;
use microdistill_boards::bench::peers::{self, Compared, PEERS, networks, quoted};
use microdistill_train::number::significant;
use serde::Serialize;

use super::ready;
use crate::context::Context;
use crate::table;
use crate::table::known;

#[derive(Serialize)]
struct Results<'a> {
    peers: &'a [Compared],
}

/// Builds and runs every installed library on every network, and prints the comparison.
pub(crate) fn run(context: &Context, profile: Profile) -> Result<()> {
    ready(&peers::board()?)?;
    let (networks, quoted) = (networks()?, quoted()?);
    let mut compared = Vec::new();
    for kind in ["int8", "f32"] {
        for (name, network) in &networks {
            for peer in PEERS.iter().filter(|peer| peer.kind == kind) {
                if !peer.is_installed()? {
                    context.console.note(format_args!(
                        "{} is not installed: run `cargo microdistill setup --peers`",
                        peer.name
                    ));
                    continue;
                }
                let spinner = context.console.spinner(format!("measuring {} on {name}", peer.name));
                let row = peer.measure(name, network, profile);
                spinner.finish_and_clear();
                compared.push(row?);
            }
            let quotes = quoted.iter().filter(|quote| quote.model == *name && quote.kind == kind);
            compared.extend(quotes.cloned());
        }
    }
    let mut table = table::table([
        "library",
        "kind",
        "model",
        "instructions",
        "per MAC",
        "cycles",
        "per MAC",
        "program flash B",
        "stack B",
        "mismatches",
        "max error",
    ]);
    for row in &compared {
        let per_mac = |count: u64| significant(count as f64 / row.macs as f64, 3);
        let (differ, by) = row.outputs.map_or(("–".into(), "–".into()), |outputs| {
            (
                format!("{} of {}", outputs.different, outputs.compared),
                if outputs.different == 0 { "0".into() } else { significant(outputs.largest.into(), 2) },
            )
        });
        table.add_row([
            if row.quoted { format!("{}, quoted", row.library) } else { row.library.clone() },
            row.kind.clone(),
            row.model.clone(),
            row.instructions.to_string(),
            per_mac(row.instructions),
            known(row.cycles),
            row.cycles.map_or("–".into(), per_mac),
            known(row.flash),
            known(row.stack),
            differ,
            by,
        ]);
    }
    context.console.table(&table)?;
    context.console.say(
        "Instructions: one whole inference, from the network's input to the index of the largest output. Cycles: the same\n\
         inference, modelled. int8 uses one weight scale per layer. Mismatches: outputs that differ from the desktop's.\n\
         Quoted: measured elsewhere, at -O3, with networks of the same shapes.",
    )?;
    context.console.json(&Results { peers: &compared })
}
