use super::*;

#[test]
fn other_files_are_refused_by_name() {
    for (bytes, expected) in [
        (
            &b"\x89HDF\r\n\x1a\n\0"[..],
            "data: this is an HDF5 file: save it as CSV (pandas: `df.to_csv(\"data.csv\", index=False)`)",
        ),
        (b"\x80\x04\x95\x0b\0\0", "data: this is a Python pickle: save it as CSV (pandas:"),
        (
            b"MATLAB 5.0 MAT-file, Platform",
            "data: this is a Matlab file: save it as CSV (Matlab: `writetable`)",
        ),
        (b"SQLite format 3\0\x10\0", "data: this is an SQLite database: export a table"),
        (b"%PDF-1.7\n", "data: this is a PDF document"),
        (b"\x89PNG\r\n\x1a\n\0", "data: this is a PNG image"),
        (b"\xFF\xD8\xFF\xE0", "data: this is a JPEG image"),
        (b"<!DOCTYPE html>\n<html>", "data: this is a web page (HTML): download the data themselves"),
        (b"  {\"a\": [1, 2]}", "data: this is JSON"),
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0",
            "data: this is an old Excel file (.xls): save it as .xlsx or CSV",
        ),
        (b"\x7fELF\x02\x01", "data: this is a program"),
        (b"BZh91AY&SY", "data: this is a bzip2 file: unpack it first (`bunzip2`)"),
        (&[0; 64], "data: this is nothing but zero bytes"),
    ] {
        let message = error(of_bytes(bytes));
        assert!(message.starts_with(expected), "{message}");
    }
    assert!(refusal("csv.zip").contains("this is a zip archive of 1 files (data.csv, …): unpack it first"));
}

#[test]
fn a_sheet_of_no_spreadsheet_is_an_error() {
    let options = Options { sheet: Some("Data".into()), ..Options::default() };
    assert!(
        error(open_bytes(Path::new("data"), b"a,b\n1,2\n".to_vec(), &options)).contains("is no spreadsheet")
    );
}
