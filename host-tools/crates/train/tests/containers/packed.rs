use std::io::Write as _;

use super::*;

#[test]
fn packed_texts_are_unpacked() {
    for (name, kind) in
        [("csv.gz", "gzip"), ("members.gz", "gzip"), ("csv.zst", "zstd"), ("frames.zst", "zstd")]
    {
        let opened = opened(name);
        assert_eq!(text_of(&opened).lines().count(), ROWS + 1, "{name}");
        assert_eq!(text_of(&opened).lines().nth(4).unwrap().split(',').next_back(), Some("wäve"), "{name}");
        assert_eq!(opened.notes, [kind], "{name}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn what_is_packed_may_be_any_container() {
    let opened = of_bytes(gzip(&bytes("f8.npy"))).unwrap();
    assert_eq!(opened.notes, ["gzip", "NumPy array"]);
    let opened = of_bytes(gzip(&bytes("utf-16.csv"))).unwrap();
    assert_eq!(opened.notes, ["gzip", "UTF-16 LE"]);
    let twice = error(of_bytes(gzip(&bytes("csv.gz"))));
    assert_eq!(twice, "data: packed twice, as by `gzip` of a .gz file: unpack it first");
}

#[test]
fn damage_is_an_error() {
    for (name, kind) in [("csv.gz", "gzip"), ("csv.zst", "zstd")] {
        let whole = bytes(name);
        let message = error(of_bytes(&whole[..whole.len() - 9]));
        assert!(message.starts_with(&format!("data: the {kind} file ")), "{message}");
    }
    let message = error(of_bytes(&bytes("csv.gz")[..40]));
    assert_eq!(message, "data: the gzip file ends early: was it copied whole?");
    let mut flipped = bytes("csv.gz");
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    assert!(error(of_bytes(flipped)).contains("the gzip file is damaged"));
}

#[test]
fn a_bomb_is_refused_with_its_limit() {
    let bomb = gzip(&vec![b'1'; 80 << 20]);
    let message = error(of_bytes(bomb));
    assert!(message.contains("unpacks to more than 34 MB"), "{message}");
    // Packed a thousandfold, below the floor of the limit.
    assert!(of_bytes(gzip(&vec![b'1'; 16 << 20])).is_ok());
}

#[test]
fn a_window_that_zstd_declares_is_limited() {
    // A frame with a window of 2 GB, and a raw block.
    let frame = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xA8, 0x09, 0, 0, b'1'];
    assert!(error(of_bytes(frame)).contains("the zstd file is damaged"));
}
