//! The kind of a file, told by its first bytes.

/// The kind of a file.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Text,
    Gzip,
    Zstd,
    Npy,
    Zip,
    Parquet,
    Refused(Refused),
}

/// A kind of file that is not read, and what to do about it.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Refused {
    pub(super) what: &'static str,
    pub(super) remedy: &'static str,
}

const PANDAS: &str = "save it as CSV (pandas: `df.to_csv(\"data.csv\", index=False)`)";
const UNPACK: &str = "unpack it first";
const NO_TABLE: &str = "a table is needed, such as CSV";

/// Bytes at a place, the kind that they tell, and what to do about it.
const MAGIC: &[(usize, &[u8], &str, &str)] = &[
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", PANDAS),
    (512, b"\x89HDF\r\n\x1a\n", "a Matlab or HDF5 file", "save it as CSV (Matlab: `writetable`)"),
    (0, b"MATLAB 5.0 MAT-file", "a Matlab file", "save it as CSV (Matlab: `writetable`)"),
    (0, b"CDF\x01", "a NetCDF file", PANDAS),
    (0, b"CDF\x02", "a NetCDF file", PANDAS),
    (
        0,
        b"SQLite format 3\0",
        "an SQLite database",
        "export a table (`sqlite3 -csv -header FILE \"SELECT …\"`)",
    ),
    (0, b"\x80\x02", "a Python pickle", PANDAS),
    (0, b"\x80\x03", "a Python pickle", PANDAS),
    (0, b"\x80\x04", "a Python pickle", PANDAS),
    (0, b"\x80\x05", "a Python pickle", PANDAS),
    (0, b"ARROW1\0\0", "an Arrow or Feather file", "save it as Parquet or CSV (pandas: `df.to_parquet`)"),
    (0, b"PARE\x15", "an encrypted Parquet file", "save it without encryption"),
    (0, b"Obj\x01", "an Avro file", "save it as Parquet or CSV"),
    (0, b"RDX2\n", "an R workspace", "save the table as CSV (R: `write.csv`)"),
    (0, b"RDX3\n", "an R workspace", "save the table as CSV (R: `write.csv`)"),
    (0, b"X\n\0\0\0", "an R object", "save the table as CSV (R: `write.csv`)"),
    (0, b"$FL2@(#)", "an SPSS file", PANDAS),
    (0, b"<stata_dta>", "a Stata file", PANDAS),
    (0, b"TDSm\x0E", "a LabVIEW TDMS file", "save it as CSV (npTDMS: `as_dataframe().to_csv`)"),
    (0, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old Excel file (.xls)", "save it as .xlsx or CSV"),
    (0, b"%PDF-", "a PDF document", NO_TABLE),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image", NO_TABLE),
    (0, b"\xFF\xD8\xFF", "a JPEG image", NO_TABLE),
    (0, b"GIF89a", "a GIF image", NO_TABLE),
    (8, b"WAVEfmt ", "a sound (.wav)", "save its samples or features as CSV"),
    (8, b"AVI LIST", "a video", NO_TABLE),
    (1, b"\0\0\0TFL3", "a TensorFlow Lite model", "a table of data is needed, not a model"),
    (0, b"GGUF\x03", "a GGUF model", "a table of data is needed, not a model"),
    (0, b"BZh", "a bzip2 file", "unpack it first (`bunzip2`)"),
    (0, b"\xFD7zXZ\0", "an xz file", "unpack it first (`unxz`)"),
    (0, b"7z\xBC\xAF\x27\x1C", "a 7-Zip archive", UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (0, b"\x04\x22\x4D\x18", "an lz4 file", "unpack it first (`unlz4`)"),
    (257, b"ustar", "a tar archive", "unpack it first (`tar -xf`)"),
    (0, b"PK\x05\x06", "an empty zip archive", NO_TABLE),
    (0, b"PK\x07\x08", "a zip archive in parts", UNPACK),
    (0, b"\x7fELF", "a program", NO_TABLE),
    (0, b"MZ\x90\0", "a program", NO_TABLE),
    (0, b"\xCF\xFA\xED\xFE", "a program", NO_TABLE),
    (0, b"\xCA\xFE\xBA\xBE", "a program", NO_TABLE),
    (0, b"\0asm", "a WebAssembly program", NO_TABLE),
    (0, b"\xFF\xFE\0\0", "a text in UTF-32", "save it as UTF-8"),
    (0, b"\0\0\xFE\xFF", "a text in UTF-32", "save it as UTF-8"),
];

/// Bytes from the start that tell whether a file is text.
const HEAD: usize = 1 << 16;

/// The kind of a file that begins with `bytes`, of which the first 64 KB are looked at.
pub(super) fn of(bytes: &[u8]) -> Kind {
    let head = &bytes[..bytes.len().min(HEAD)];
    match head {
        [0x1F, 0x8B, 8, ..] => return Kind::Gzip,
        // A frame, or one that is to be skipped.
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => return Kind::Zstd,
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => return Kind::Npy,
        [b'P', b'K', 3, 4, ..] => return Kind::Zip,
        // `PAR1` alone is the name of many a column.
        [b'P', b'A', b'R', b'1', 0x15, ..] => return Kind::Parquet,
        [b'P', b'A', b'R', b'1', ..] if bytes.len() > 8 && bytes.ends_with(b"PAR1") => return Kind::Parquet,
        _ => {}
    }
    let magic = |&&(at, magic, ..): &&(usize, &[u8], _, _)| {
        head.get(at..).is_some_and(|rest| rest.starts_with(magic))
    };
    if let Some(&(_, magic, what, remedy)) = MAGIC.iter().find(magic)
        && !(magic == b"BZh" && head.get(4..10) != Some(b"1AY&SY"))
    {
        return Kind::Refused(Refused { what, remedy });
    }
    if head.len() > 16 && head.get(8) == Some(&b'{') && head[4..8] == [0; 4] {
        return Kind::Refused(Refused { what: "a model (safetensors)", remedy: "a table of data is needed" });
    }
    if !head.is_empty() && head.iter().all(|&byte| byte == 0) {
        let what = "nothing but zero bytes";
        return Kind::Refused(Refused { what, remedy: "its writer lost power before the data were on disk" });
    }
    if binary(head) {
        return Kind::Refused(Refused { what: "neither text nor a known kind of file", remedy: NO_TABLE });
    }
    Kind::Text
}

/// Whether control characters are too many for a text. Zero bytes are not counted: UTF-16 has them, and so have files
/// whose writer lost power.
fn binary(head: &[u8]) -> bool {
    let control = |&&byte: &&u8| matches!(byte, 1..=8 | 11 | 14..=26 | 28..=31 | 127);
    head.iter().filter(control).count() * 20 > head.len()
}

/// The kind of a decoded text: web pages and JSON are refused.
pub(super) fn of_text(text: &str) -> Kind {
    let refused = |what, remedy| Kind::Refused(Refused { what, remedy });
    let start = text.trim_start();
    let begins = |with: &str| start.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    if begins("<!doctype html") || begins("<html") || begins("<head") || begins("<body") {
        return refused(
            "a web page (HTML)",
            "download the data themselves: the link may lead to a page about them",
        );
    }
    if begins("<?xml") || begins("<svg") {
        return refused("an XML document", "save it as CSV");
    }
    if begins("version https://git-lfs") {
        return refused("a pointer of Git LFS", "fetch the file itself (`git lfs pull`)");
    }
    let mut rest = start.chars().filter(|character| !character.is_whitespace());
    match (rest.next(), rest.next()) {
        (Some('{'), Some('"' | '}' | '\'')) | (Some('['), Some('{' | '[' | ']')) => {
            refused("JSON", "save it as CSV (pandas: `pd.read_json(FILE).to_csv`)")
        }
        (Some('['), _) if text.trim_end().ends_with(']') && !start.contains("]\n") => {
            refused("JSON", "save it as CSV (pandas: `pd.read_json(FILE).to_csv`)")
        }
        _ => Kind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_bytes() {
        let refused = |bytes: &[u8]| match of(bytes) {
            Kind::Refused(refused) => refused.what,
            kind => panic!("{kind:?}"),
        };
        assert_eq!(refused(b"\x89HDF\r\n\x1a\n\0\0"), "an HDF5 file");
        assert_eq!(refused(b"\x80\x04\x95\x10"), "a Python pickle");
        assert_eq!(refused(b"SQLite format 3\0rest"), "an SQLite database");
        assert_eq!(refused(&[0; 100]), "nothing but zero bytes");
        assert_eq!(refused(&[1, 2, 3, 4, 5, 0, 7]), "neither text nor a known kind of file");
        for text in [
            "",
            "a,b\n1,2\n",
            "BZh,b\n",
            "MZ,b\n1,2\n",
            "a,b\n1,2\n\0\0\0\0\0\0",
            "PAR1,PAR2\n3,4\n",
            "GIF,8\n",
        ] {
            assert_eq!(of(text.as_bytes()), Kind::Text, "{text:?}");
        }
    }

    #[test]
    fn pages_and_json_are_no_tables() {
        for text in [
            "<!DOCTYPE html><p>",
            "\n {\"a\": 1}",
            "[{\"a\": 1}]",
            "[[1, 2],\n [3, 4]]",
            "[1, 2]",
            "<?xml ?>",
        ] {
            assert!(matches!(of_text(text), Kind::Refused(_)), "{text:?}");
        }
        for text in ["a,b\n", "{a},b\n1,2\n", "[m/s],b\n1,2\n", "[V],[A]\n1,2\n", "<1,2\n"] {
            assert_eq!(of_text(text), Kind::Text, "{text:?}");
        }
    }
}
