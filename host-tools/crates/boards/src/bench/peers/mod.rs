//! Comparison with other libraries on the emulated Cortex-M4F: the same networks with the same weights and inputs, built
//! from `benches/peers` with the same optimization.

mod sources;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::bench::{inference as bench, references};
use crate::cycles::executed;
use crate::{Board, Elf, Firmware, Output, Profile, Sources, find, firmware_folder, run, which};
use microdistill_train::error::{Error, Result};
use microdistill_train::model::{Body, Model};
use microdistill_train::network::macs;
use microdistill_train::network::precision::Scales;
use microdistill_train::quantize::quantize;

/// The board that `benches/peers` is written for.
const BOARD: &str = "qemu-mps2";
/// Folder of the package, in the repository.
const PACKAGE: &str = "benches/peers";
/// Folder of emlearn in the repository. The package's build script uses the same path.
pub(crate) const EMLEARN: &str = "benches/target/emlearn";
/// The release of emlearn that is compared.
pub(crate) const EMLEARN_VERSION: &str = "0.23.2";
/// The C compiler.
pub(crate) const C_COMPILER: &str = "arm-none-eabi-gcc";

/// A library and the program that measures it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Display name, with its version.
    pub name: &'static str,
    /// Arithmetic: `f32`, or `int8` with one weight scale per layer.
    pub kind: &'static str,
    program: &'static str,
    feature: Option<&'static str>,
}

const fn peer(
    name: &'static str,
    kind: &'static str,
    program: &'static str,
    feature: Option<&'static str>,
) -> Peer {
    Peer { name, kind, program, feature }
}

/// All libraries that are built and run.
pub const PEERS: [Peer; 6] = [
    peer("microdistill", "int8", "microdistill", None),
    peer("a loop in Rust", "int8", "naive_int8", None),
    peer("microflow 0.1.3", "int8", "microflow", Some("microflow")),
    peer("microdistill", "f32", "microdistill", None),
    peer("a loop in Rust", "f32", "naive_f32", None),
    peer("emlearn 0.23.2", "f32", "emlearn", Some("emlearn")),
];

/// Measurements of a library's inference of a network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// Name of the library.
    pub library: String,
    /// Name of the network.
    pub model: String,
    /// Arithmetic of the [`Peer`].
    pub kind: String,
    /// Number of multiplications in an inference.
    pub macs: u64,
    /// Instructions from the network's input to the index of the largest output.
    pub instructions: u64,
    /// Modelled cycles of the same instructions.
    pub cycles: Option<u64>,
    /// Flash of the whole program. Programs differ only in the library and its network.
    pub flash: Option<u64>,
    /// Bytes of stack, measured by painting it.
    pub stack: Option<u64>,
    /// Comparison of its outputs with those of the desktop.
    pub outputs: Option<Outputs>,
    /// True if the figures were measured elsewhere and are quoted.
    pub quoted: bool,
}

/// Comparison of a library's outputs with the desktop's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Outputs {
    /// Number of outputs compared.
    pub compared: usize,
    /// Number of outputs whose bits differ.
    pub different: usize,
    /// The largest difference.
    pub largest: f32,
}

/// Returns the board with the programs of `benches/peers`.
///
/// # Errors
/// If there is no clone of the repository.
pub fn board() -> Result<Board> {
    let folder = microdistill_train::file::repository()?.join(PACKAGE);
    Ok(Board { folder, ..find(&firmware_folder()?, BOARD)? })
}

/// Path of a header of emlearn, which exists if emlearn is installed.
pub(crate) fn emlearn_headers() -> Result<PathBuf> {
    Ok(microdistill_train::file::repository()?.join(EMLEARN).join("emlearn/eml_net.h"))
}

impl Peer {
    /// Returns true if everything the peer needs is installed.
    ///
    /// # Errors
    /// If there is no clone of the repository.
    pub fn is_installed(&self) -> Result<bool> {
        let emlearn = self.program == "emlearn";
        Ok(!emlearn || emlearn_headers()?.is_file() && which(C_COMPILER).is_some())
    }

    /// Measures the library with the f32 model `network`, which is quantized first for an int8 library.
    ///
    /// # Errors
    /// If the program does not build, or fails.
    pub fn measure(&self, name: &str, network: &Model, profile: Profile) -> Result<Compared> {
        let quantized = quantize(network, &network.examples, Scales::PerLayer)?;
        let model = if self.kind == "int8" { &quantized } else { network };
        let features = self.feature.map(str::to_owned).into_iter().collect();
        let board = Board { features, ..board()? };
        let folder = board.target_folder().join("sources");
        let sources = Sources { model: Some(sources::write(&folder, model)?), ..Sources::default() };
        let elf = Firmware { board: &board, program: self.program, sources, profile }.build()?;
        let output = run(&bench::counting(&board), &elf, &mut |_| {})?;
        if !output.success {
            return Err(Error::Invalid(format!("{} on {} failed\n{}", self.name, board.name, output.stderr)));
        }
        self.compare(&board, name, model, &elf, &output)
    }

    fn compare(
        &self,
        board: &Board,
        name: &str,
        model: &Model,
        elf: &Path,
        output: &Output,
    ) -> Result<Compared> {
        let number = |name: &str| bench::number(board, output, name);
        let (runs, macs) = (number("inferences")?, macs(&model.widths()));
        let counted = bench::instructions(number("network")?, number("tick")?, 1);
        let executed = executed::executed(board, elf, |_| true)?;
        Ok(Compared {
            library: self.name.into(),
            model: name.into(),
            kind: self.kind.into(),
            macs,
            instructions: counted / runs,
            cycles: Some(executed::cycles(board, &executed, counted)? / runs),
            flash: Some(Elf::load(elf)?.memory()?.flash),
            stack: Some(number("inference stack")?),
            outputs: Some(outputs(model, output)?),
            quoted: false,
        })
    }
}

/// Compares the program's outputs for the model's examples with the desktop's.
fn outputs(model: &Model, output: &Output) -> Result<Outputs> {
    let expected = model.examples.column_iter().flat_map(|raw| model.logits(raw.as_slice()));
    let expected: Vec<f32> = expected.collect();
    let found: Vec<f32> = output.rows().into_iter().flatten().map(f32::from_bits).collect();
    if found.len() != expected.len() {
        return Err(Error::Invalid(format!("found {} outputs, expected {}", found.len(), expected.len())));
    }
    let pairs = || found.iter().zip(&expected);
    Ok(Outputs {
        compared: expected.len(),
        different: pairs().filter(|(found, expected)| found.to_bits() != expected.to_bits()).count(),
        largest: pairs().map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max),
    })
}

#[derive(Deserialize)]
struct Quotes {
    quoted: Vec<Quote>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quote {
    library: String,
    model: String,
    kind: String,
    macs: u64,
    instructions: u64,
    cycles_per_mac: Option<f64>,
    stack: Option<u64>,
}

/// Figures of libraries that are not built here but quoted: networks of the same shapes, counted in the same way.
///
/// # Errors
/// If the data file is malformed.
pub fn quoted() -> Result<Vec<Compared>> {
    let quotes: Quotes = toml::from_str(include_str!("quoted.toml")).map_err(|error| Error::Data {
        path: PathBuf::from("quoted.toml"),
        line: None,
        message: error.to_string(),
    })?;
    let compared = |quote: Quote| Compared {
        library: quote.library,
        model: quote.model,
        kind: quote.kind,
        macs: quote.macs,
        instructions: quote.instructions,
        cycles: quote.cycles_per_mac.map(|cycles| (cycles * quote.macs as f64).round() as u64),
        flash: None,
        stack: quote.stack,
        outputs: None,
        quoted: true,
    };
    Ok(quotes.quoted.into_iter().map(compared).collect())
}

/// The f32 networks that libraries are compared on.
///
/// # Errors
/// See [`references`].
pub fn networks() -> Result<Vec<(&'static str, Model)>> {
    let models = references()?.into_iter();
    Ok(models.filter(|(_, model)| matches!(model.body, Body::F32(_))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_of_the_same_networks() {
        let networks = networks().unwrap();
        let quoted = quoted().unwrap();
        assert_eq!(quoted.len(), 6);
        for quote in quoted {
            let (_, network) = networks.iter().find(|(name, _)| *name == quote.model).unwrap();
            assert_eq!(quote.macs, macs(&network.widths()));
        }
    }
}
