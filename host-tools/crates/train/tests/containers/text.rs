use super::*;

/// The table that all text files hold.
fn csv() -> String {
    // As Python prints them, the shortest digits; those of Rust are the same for numbers of this size.
    let row = |row: usize| format!("{:?},{:?},{}\n", value(row, 0), value(row, 1), LABELS[row]);
    format!("x,y,label\n{}", (0..ROWS).map(row).collect::<String>())
}

#[test]
fn unicode_is_told_by_its_bytes() {
    for (name, notes) in [
        ("utf-8-sig.csv", &[][..]),
        ("utf-16.csv", &["UTF-16 LE"]),
        ("utf-16-le.csv", &["UTF-16 LE"]),
        ("utf-16-be.csv", &["UTF-16 BE"]),
    ] {
        let opened = opened(name);
        assert_eq!(text_of(&opened), csv(), "{name}");
        assert_eq!(opened.notes, notes, "{name}");
    }
}

#[test]
fn other_encodings_are_guessed_and_said() {
    for (name, encoding, text) in [
        ("cp1252.csv", "windows-1252", csv()),
        ("shift_jis.csv", "Shift_JIS", csv().replace("wäve", "日本語のラベル")),
        ("cp1251.csv", "windows-1251", csv().replace("wäve", "машина стоит").replace("rest", "покой")),
        ("degrees.csv", "windows-1252", "t (°C),label\n21.5,a\n".into()),
    ] {
        let opened = opened(name);
        assert_eq!(text_of(&opened), text, "{name}");
        let note = "guessed from the letters beyond ASCII (--encoding names another)";
        assert_eq!(opened.notes, [format!("encoding {encoding}, {note}")], "{name}");
    }
}

#[test]
fn an_encoding_can_be_named() {
    let named = |name: &str, encoding: &str| {
        open(&file(name), &Options { encoding: Some(encoding.into()), ..Options::default() })
    };
    assert_eq!(text_of(&named("cp1252.csv", "latin1").unwrap()), csv());
    assert_eq!(text_of(&named("cp1252.csv", "iso-8859-2").unwrap()), csv());
    assert_eq!(text_of(&named("utf-16-be.csv", "UTF-16BE").unwrap()), csv());
    assert_eq!(text_of(&named("utf-8-sig.csv", "utf8").unwrap()), csv());
    assert_eq!(text_of(&named("cp1251.csv", "koi8-r").unwrap()).lines().count(), ROWS + 1);
    let message = error(named("cp1252.csv", "klingon"));
    assert!(
        message.contains("no encoding is named \"klingon\": some names are utf-8, utf-16le,"),
        "{message}"
    );
    let message = error(named("cp1252.csv", "utf-8"));
    assert!(message.contains("cp1252.csv:5: byte 0xe4 is not UTF-8: --encoding can name"), "{message}");
    let message = error(named("cp1252.csv", "euc-jp"));
    assert!(message.contains("cp1252.csv:5: a character is not EUC-JP"), "{message}");
}

#[test]
fn damage_is_said_with_its_line() {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut cut = utf16("a,b\n1,2\n3,4");
    cut.pop();
    let opened = of_bytes(cut).unwrap();
    assert_eq!(text_of(&opened), "a,b\n1,2\n3,");
    assert_eq!(opened.notes[1], "line 3 ends in the middle of a character, which is left out");

    let mut half = utf16("a,b\n1,2\n");
    half.extend([0x3D, 0xD8, b'x', 0]);
    assert!(error(of_bytes(half)).starts_with("data:3: 0xd83d is half of a character in UTF-16 LE"));

    let mut broken = "größe,maß\n1,ä\n2,ö\n".to_owned().into_bytes();
    broken[15] = b'?';
    let opened = of_bytes(broken).unwrap();
    assert_eq!(opened.notes, ["UTF-8 with 1 broken character, in line 2, read as \u{FFFD}"]);
}

#[test]
fn zero_bytes_at_the_end_are_no_utf16() {
    let mut tail = b"a,b\n1,2\n3,".to_vec();
    tail.extend([0; 4096]);
    let opened = of_bytes(tail.clone()).unwrap();
    assert_eq!(text_of(&opened).as_bytes(), tail);
    assert!(opened.notes.is_empty());
}

#[test]
fn large_files_stay_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.csv");
    let row = "1.5,größer,3\n";
    let text = format!("a,b,c\n{}", row.repeat((64 << 20) / row.len() + 1));
    std::fs::write(&path, format!("\u{FEFF}{text}")).unwrap();
    let streamed = open(&path, &Options::default()).unwrap();
    let Contents::Text(microdistill_train::table::container::Text::File { skip: 3, .. }) = &streamed.contents
    else {
        panic!("not on disk");
    };
    assert!(text_of(&streamed) == text);
    let whole = of_bytes(std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(streamed.hash, whole.hash);

    let mut latin = text.into_bytes();
    latin.extend(b"1,gr\xF6\xDFer,2\n");
    std::fs::write(&path, latin).unwrap();
    assert!(matches!(open(&path, &Options::default()).unwrap().contents, Contents::Text(_)));
}
