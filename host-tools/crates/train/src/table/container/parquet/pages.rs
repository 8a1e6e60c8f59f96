//! Pages of a column: their headers, checked, and their bytes, unpacked within the limits.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use ruzstd::decoding::StreamingDecoder;

use super::super::limits::Limits;
use super::delta;
use super::thrift::{FALSE, Reader, STRUCT, TRUE};

/// Memory of an entry of a dictionary.
const ENTRY: usize = 40;

/// What the pages of a file may still be unpacked to, all together.
#[derive(Clone)]
pub(super) struct Allowance {
    /// Most bytes of a page.
    page: usize,
    left: Arc<AtomicUsize>,
}

impl Allowance {
    pub(super) fn new(limits: Limits) -> Self {
        Allowance { page: limits.unpacked, left: Arc::new(AtomicUsize::new(limits.cells)) }
    }

    fn take(&self, bytes: usize) -> Result<()> {
        let take = |left: usize| left.checked_sub(bytes);
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        if bytes > self.page || taken.is_err() {
            return Err(general("it unpacks to too much, or declares it: save the file as CSV"));
        }
        Ok(())
    }
}

fn general(message: &str) -> ParquetError {
    ParquetError::General(message.into())
}

/// Pages of a column in a row group.
pub(super) struct Pages {
    bytes: Bytes,
    codec: Compression,
    /// Whether values may be missing.
    nullable: bool,
    /// Whether a dictionary was read.
    dictionary: bool,
    allowance: Allowance,
}

impl Pages {
    pub(super) fn new(
        file: &Bytes,
        chunk: &ColumnChunkMetaData,
        nullable: bool,
        allowance: Allowance,
    ) -> Result<Self> {
        if chunk.file_path().is_some() {
            return Err(general("its data are in another file"));
        }
        let start =
            chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset()).min(chunk.data_page_offset());
        let range = usize::try_from(start).ok().zip(usize::try_from(chunk.compressed_size()).ok());
        let range = range.and_then(|(start, length)| Some(start..start.checked_add(length)?));
        let range = range
            .filter(|range| range.end <= file.len())
            .ok_or_else(|| general("its place is not in the file"))?;
        Ok(Pages {
            bytes: file.slice(range),
            codec: chunk.compression(),
            nullable,
            dictionary: false,
            allowance,
        })
    }

    /// Reads the next page that holds values.
    fn next_page(&mut self) -> Result<Option<Page>> {
        while !self.bytes.is_empty() {
            let mut reader = Reader { bytes: &self.bytes };
            let header =
                Header::read(&mut reader).ok_or_else(|| general("the header of a page is damaged"))?;
            let start = self.bytes.len() - reader.bytes.len();
            let end = start.checked_add(header.packed).filter(|&end| end <= self.bytes.len());
            let end = end.ok_or_else(|| general("a page ends early"))?;
            let packed = self.bytes.slice(start..end);
            self.bytes = self.bytes.slice(end..);
            if let Some(page) = self.page(&header, &packed)? {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }

    fn page(&mut self, header: &Header, packed: &Bytes) -> Result<Option<Page>> {
        let encoding = encoding(header.encoding);
        let page = match header.kind {
            0 => {
                let buf = self.unpack(packed, 0, header)?;
                let encoding = encoding?;
                Page::DataPage {
                    buf: self.checked(buf, encoding, header)?,
                    num_values: header.values,
                    encoding,
                    def_level_encoding: self::encoding(header.levels)?,
                    rep_level_encoding: Encoding::RLE,
                    statistics: None,
                }
            }
            2 => {
                let buf = self.unpack(packed, 0, header)?;
                // An entry takes four bytes at least, but for booleans, which have no dictionary.
                let entries = header.values as usize;
                if entries > buf.len() / 4 {
                    return Err(general("a dictionary declares more entries than it holds"));
                }
                self.dictionary = true;
                self.allowance.take(entries.saturating_mul(ENTRY).min(self.allowance.page))?;
                Page::DictionaryPage { buf, num_values: header.values, encoding: encoding?, is_sorted: false }
            }
            3 => {
                let levels = header.definition.saturating_add(header.repetition);
                if levels as usize > packed.len() {
                    return Err(general("the levels of a page are longer than it is"));
                }
                let buf = self.unpack(packed, levels as usize, header)?;
                let encoding = encoding?;
                Page::DataPageV2 {
                    buf: self.checked(buf, encoding, header)?,
                    num_values: header.values,
                    encoding,
                    num_nulls: header.nulls,
                    num_rows: header.rows,
                    def_levels_byte_len: header.definition,
                    rep_levels_byte_len: header.repetition,
                    is_compressed: false,
                    statistics: None,
                }
            }
            // Pages of an index.
            _ => return Ok(None),
        };
        Ok(Some(page))
    }

    /// A page of values, whose lengths of texts are as many as its values.
    fn checked(&self, buf: Bytes, encoding: Encoding, header: &Header) -> Result<Bytes> {
        let start = match header.kind {
            3 => (header.definition + header.repetition) as usize,
            // Version 1 has the length of the levels before them.
            _ if self.nullable => {
                buf.first_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize + 4)
            }
            _ => 0,
        };
        let page = buf.get(start..).ok_or_else(|| general("the levels of a page are longer than it is"))?;
        let values = header.values as usize;
        let sum = match encoding {
            Encoding::DELTA_BYTE_ARRAY => delta::prefixed(page, values),
            Encoding::DELTA_LENGTH_BYTE_ARRAY => delta::lengths(page, values),
            Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY if !self.dictionary => {
                return Err(general("a page refers to a dictionary that is not there"));
            }
            _ => return Ok(buf),
        };
        self.allowance.take(sum.ok_or_else(|| general("the lengths of texts are damaged"))?)?;
        Ok(buf)
    }

    /// Unpacks a page behind its first `levels` bytes, which are never packed.
    fn unpack(&self, page: &Bytes, levels: usize, header: &Header) -> Result<Bytes> {
        if matches!(self.codec, Compression::UNCOMPRESSED) || !header.is_packed {
            return Ok(page.clone());
        }
        self.allowance.take(header.unpacked)?;
        let size = header
            .unpacked
            .checked_sub(levels)
            .ok_or_else(|| general("a page is shorter than its levels"))?;
        let packed = &page[levels..];
        let mut unpacked = page[..levels].to_vec();
        if size > 0 {
            unpack(self.codec, packed, size, &mut unpacked)?;
        }
        if unpacked.len() != header.unpacked {
            return Err(general("a page does not unpack to the size that it declares"));
        }
        Ok(unpacked.into())
    }
}

/// Appends `packed`, which declares `size` bytes.
fn unpack(codec: Compression, packed: &[u8], size: usize, unpacked: &mut Vec<u8>) -> Result<()> {
    let damaged = |error: &dyn std::fmt::Display| general(&format!("a page is damaged: {error}"));
    let start = unpacked.len();
    // One more than declared, to see what is too much.
    let mut read = |reader: &mut dyn Read| {
        reader.take(size as u64 + 1).read_to_end(unpacked).map(drop).map_err(|error| damaged(&error))
    };
    match codec {
        Compression::GZIP(_) => read(&mut MultiGzDecoder::new(packed)),
        Compression::ZSTD(_) => {
            let window = (size as u64).max(1 << 23);
            let decoder = StreamingDecoder::new_with_max_window_size(packed, window);
            read(&mut decoder.map_err(|error| damaged(&error))?)
        }
        Compression::SNAPPY => {
            let declared = snap::raw::decompress_len(packed).map_err(|error| damaged(&error))?;
            if declared != size {
                return Err(general("a page does not unpack to the size that it declares"));
            }
            unpacked.resize(start + size, 0);
            let read = snap::raw::Decoder::new().decompress(packed, &mut unpacked[start..]);
            read.map(|read| unpacked.truncate(start + read)).map_err(|error| damaged(&error))
        }
        Compression::LZ4_RAW => {
            unpacked.resize(start + size, 0);
            let read = lz4_flex::block::decompress_into(packed, &mut unpacked[start..]);
            read.map(|read| unpacked.truncate(start + read)).map_err(|error| damaged(&error))
        }
        Compression::BROTLI(_) | Compression::LZO | Compression::LZ4 | Compression::UNCOMPRESSED => {
            Err(general(&format!("it is packed by {codec}: save the file with zstd, snappy, gzip or none")))
        }
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        self.next_page()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        Err(general("pages are read in order"))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        Err(general("pages are read in order"))
    }
}

/// The header of a page.
struct Header {
    kind: i64,
    unpacked: usize,
    packed: usize,
    values: u32,
    nulls: u32,
    rows: u32,
    encoding: i64,
    /// The encoding of levels.
    levels: i64,
    definition: u32,
    repetition: u32,
    is_packed: bool,
}

impl Header {
    fn read(reader: &mut Reader) -> Option<Self> {
        // By the number of the field, and in the second by those of the struct of the page's kind.
        let (mut outer, mut inner) = ([0; 16], [0; 16]);
        let mut is_packed = true;
        let mut last = 0;
        while let Some((field, kind)) = reader.field(&mut last)? {
            match kind {
                5 => *outer.get_mut(usize::try_from(field).ok()?)? = reader.number()?,
                STRUCT => {
                    let mut last = 0;
                    while let Some((field, kind)) = reader.field(&mut last)? {
                        match kind {
                            5 => *inner.get_mut(usize::try_from(field).ok()?)? = reader.number()?,
                            TRUE | FALSE => is_packed &= !(field == 7 && kind == FALSE),
                            _ => reader.skip(kind)?,
                        }
                    }
                }
                _ => reader.skip(kind)?,
            }
        }
        let small = |value: i64| u32::try_from(value).ok().filter(|&value| value <= i32::MAX.cast_unsigned());
        let version2 = outer[1] == 3;
        Some(Header {
            kind: outer[1],
            unpacked: small(outer[2])? as usize,
            packed: small(outer[3])? as usize,
            values: small(inner[1])?,
            nulls: if version2 { small(inner[2])? } else { 0 },
            rows: if version2 { small(inner[3])? } else { 0 },
            encoding: inner[if version2 { 4 } else { 2 }],
            levels: inner[3],
            definition: if version2 { small(inner[5])? } else { 0 },
            repetition: if version2 { small(inner[6])? } else { 0 },
            is_packed,
        })
    }
}

fn encoding(number: i64) -> Result<Encoding> {
    Ok(match number {
        0 => Encoding::PLAIN,
        2 => Encoding::PLAIN_DICTIONARY,
        3 => Encoding::RLE,
        5 => Encoding::DELTA_BINARY_PACKED,
        6 => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        7 => Encoding::DELTA_BYTE_ARRAY,
        8 => Encoding::RLE_DICTIONARY,
        9 => Encoding::BYTE_STREAM_SPLIT,
        number => return Err(ParquetError::General(format!("a page has the unknown encoding {number}"))),
    })
}
