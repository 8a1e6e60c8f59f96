//! Memory use of firmware, read from its ELF file.

use std::path::{Path, PathBuf};

use object::{File, Object as _, ObjectSection as _, ObjectSymbol as _, SectionFlags, SectionKind, elf};
use serde::Serialize;

use microdistill_train::error::{Error, Result};

/// The ELF file of a firmware.
#[derive(Clone, Debug)]
pub struct Elf {
    path: PathBuf,
    /// Contents of the file.
    pub bytes: Vec<u8>,
}

/// Static memory of a firmware in bytes, without the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Code, constants, and the initial values of variables.
    pub flash: u64,
    /// Variables.
    pub ram: u64,
}

impl Elf {
    /// Reads the file.
    pub fn load(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        Ok(Elf { path, bytes })
    }

    /// Path that the file was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The parsed file.
    ///
    /// # Errors
    /// If the bytes are not an ELF file.
    pub fn parse(&self) -> Result<File<'_>> {
        File::parse(&*self.bytes).map_err(|error| self.error(format!("this is not a firmware file: {error}")))
    }

    /// Flash and RAM that the firmware takes.
    pub fn memory(&self) -> Result<Memory> {
        let mut memory = Memory { flash: 0, ram: 0 };
        for section in self.parse()?.sections() {
            let SectionFlags::Elf { sh_flags } = section.flags() else { continue };
            let flag = |flag: u32| sh_flags & u64::from(flag) != 0;
            // riscv-rt's linker script has a section for the memory that is left for the stack.
            if !flag(elf::SHF_ALLOC) || section.name() == Ok(".stack") {
                continue;
            }
            // Initial values of variables are in flash too, unless they are zero.
            let (stored, variable) = (section.kind() != SectionKind::UninitializedData, flag(elf::SHF_WRITE));
            memory.flash += if stored { section.size() } else { 0 };
            memory.ram += if variable { section.size() } else { 0 };
        }
        Ok(memory)
    }

    /// Finds the symbol whose path ends in `name`. Returns its section and the offset of its bytes in the file.
    ///
    /// # Errors
    /// If there is no such symbol.
    pub fn find(&self, name: &str) -> Result<(String, usize)> {
        let file = self.parse()?;
        let missing = || self.no_symbol(name);
        let symbol = symbol(&file, name).ok_or_else(missing)?;
        let section = symbol.section_index().and_then(|index| file.section_by_index(index).ok());
        let section = section.ok_or_else(missing)?;
        let (start, _) = section.file_range().ok_or_else(missing)?;
        let offset = start + (symbol.address() - section.address());
        Ok((section.name().unwrap_or_default().to_owned(), offset as usize))
    }

    /// The address of the function whose path ends in `name`.
    ///
    /// # Errors
    /// If there is no such symbol.
    pub fn function(&self, name: &str) -> Result<u32> {
        let file = self.parse()?;
        let symbol = symbol(&file, name).ok_or_else(|| self.no_symbol(name))?;
        // The lowest bit of a function's address marks Thumb code.
        Ok(symbol.address() as u32 & !1)
    }

    /// Code sections: the address of each and its bytes.
    ///
    /// # Errors
    /// If the bytes are not an ELF file.
    pub fn code(&self) -> Result<Vec<(u32, &[u8])>> {
        let file = self.parse()?;
        let code = file.sections().filter(|section| section.kind() == SectionKind::Text);
        let bytes = code.map(|section| Ok((section.address() as u32, section.data()?)));
        bytes.collect::<object::Result<_>>().map_err(|error| self.error(error.to_string()))
    }

    fn no_symbol(&self, name: &str) -> Error {
        self.error(format!("it has no symbol {name}"))
    }

    fn error(&self, message: String) -> Error {
        Error::Model { path: self.path.clone(), message }
    }
}

fn symbol<'file, 'data>(file: &'file File<'data>, name: &str) -> Option<object::Symbol<'data, 'file>> {
    // In a mangled path, the length of each name comes before it.
    let mangled = format!("{}{name}", name.len());
    file.symbols().find(|symbol| symbol.name().is_ok_and(|symbol| symbol.contains(&mangled)))
}
