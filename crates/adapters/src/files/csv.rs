//! CSV files with a header: each row becomes a line of NDJSON, so that the same rules hold for both.
//!
//! `feature_age` and `features.age` are features, `group_sex` a protected attribute, names of the event
//! schema are fields, and every other column is an attribute. An empty cell is no value. Whether a feature
//! is a number, a boolean or text is decided by the first rows.

use std::{collections::HashSet, io::Read, path::Path};

use csv::{ByteRecord, Reader, ReaderBuilder};
use wardline_domain::{Timestamp, column};

use super::{
    FormatSpec, LineChunk, SourceError,
    pieces::{FileToRead, Origins, Piece, Sink, failed},
    text,
};
use crate::{FeatureType, fields};

pub(super) const SPEC: FormatSpec = FormatSpec {
    name: "CSV",
    extensions: &["csv"],
    shared_extensions: &["csv"],
    may_be_compressed: true,
    read,
    first_time,
    time_span,
};

/// Where a column's cells go.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Field,
    Feature,
    Attribute,
    Group,
}

/// A column of the file.
struct CsvColumn {
    place: Place,
    /// The name in quotes, with its colon.
    key: Vec<u8>,
    /// How a feature's cells are read.
    read_as: FeatureType,
}

fn read(file: &FileToRead, sink: &mut Sink<'_>) -> Result<(), SourceError> {
    let (reader, position) = text::open(&file.path).map_err(failed(file))?;
    let mut reader = reader_of(reader);
    let mut columns = columns(&mut reader, &file.path)?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    let (mut is_first, mut at_end, mut made) = (true, false, 0);
    while !at_end {
        let mut row = ByteRecord::new();
        at_end = !reader.read_byte_record(&mut row).map_err(|error| broken(&file.path, &error))?;
        bytes += row.as_slice().len();
        if !at_end {
            rows.push(row);
        }
        if bytes < file.chunk_bytes && !at_end {
            continue;
        }
        if std::mem::take(&mut is_first) {
            decide_types(&mut columns, &rows);
        }
        let mut origins = Origins::default();
        let mut chunk = LineChunk { offset: made, ..LineChunk::default() };
        for row in rows.drain(..) {
            let start = made + chunk.bytes.len() as u64;
            origins.push(start, row.position().map_or(start, csv::Position::byte));
            write_line(&columns, &row, &mut chunk.bytes);
        }
        made += chunk.bytes.len() as u64;
        bytes = 0;
        let read = position.load(std::sync::atomic::Ordering::Relaxed);
        if !sink(Piece::Lines { chunk, origins: Some(origins) }, read) {
            return Ok(());
        }
    }
    Ok(())
}

fn reader_of<R: Read>(reader: R) -> Reader<R> {
    ReaderBuilder::new().flexible(true).buffer_capacity(1 << 18).from_reader(reader)
}

fn broken(path: &Path, error: &csv::Error) -> SourceError {
    SourceError::Csv { path: path.to_owned(), problem: error.to_string() }
}

fn header<R: Read>(reader: &mut Reader<R>, path: &Path) -> Result<Vec<String>, SourceError> {
    let header = reader.byte_headers().map_err(|error| broken(path, &error))?;
    let names: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_owned())
        .collect();
    let mut seen = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        let problem = format!("the header names `{twice}` twice: give each column its own name");
        return Err(SourceError::Csv { path: path.to_owned(), problem });
    }
    Ok(names)
}

fn columns<R: Read>(reader: &mut Reader<R>, path: &Path) -> Result<Vec<CsvColumn>, SourceError> {
    let column = |name: &String| {
        let (place, name) = place_of(name);
        let mut key = Vec::new();
        push_quoted(name.as_bytes(), &mut key);
        key.push(b':');
        CsvColumn { place, key, read_as: FeatureType::Text }
    };
    Ok(header(reader, path)?.iter().map(column).collect())
}

fn place_of(name: &str) -> (Place, &str) {
    let of = |place: Place, prefixes: [&str; 2]| {
        prefixes
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))
            .filter(|rest| !rest.is_empty())
            .map(|rest| (place, rest))
    };
    of(Place::Feature, [column::FEATURE_PREFIX, "features."])
        .or_else(|| of(Place::Attribute, [column::ATTRIBUTE_PREFIX, "attributes."]))
        .or_else(|| of(Place::Group, [column::GROUP_PREFIX, "groups."]))
        .unwrap_or((if fields::field(name).is_some() { Place::Field } else { Place::Attribute }, name))
}

/// How programs write that there is no value.
fn is_missing(cell: &[u8]) -> bool {
    matches!(cell, b"" | b"NA" | b"N/A" | b"NaN" | b"nan" | b"null" | b"NULL" | b"None")
}

fn number(cell: &[u8]) -> Option<f64> {
    std::str::from_utf8(cell).ok()?.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn boolean(cell: &[u8]) -> Option<bool> {
    let is = |word: &[u8]| cell.eq_ignore_ascii_case(word);
    if is(b"true") { Some(true) } else { is(b"false").then_some(false) }
}

fn decide_types(columns: &mut [CsvColumn], rows: &[ByteRecord]) {
    for (place, column) in columns.iter_mut().enumerate().filter(|(_, column)| column.place == Place::Feature) {
        let cells = || rows.iter().filter_map(|row| row.get(place)).filter(|cell| !is_missing(cell));
        if cells().all(|cell| number(cell).is_some()) {
            column.read_as = FeatureType::Number;
        } else if cells().all(|cell| boolean(cell).is_some()) {
            column.read_as = FeatureType::Boolean;
        }
    }
}

fn write_line(columns: &[CsvColumn], row: &ByteRecord, line: &mut Vec<u8>) {
    if row.len() > columns.len() {
        // No JSON, so the row is refused; its text is what a person needs to mend it.
        line.extend_from_slice(format!("CSV row of {} cells under {} names: ", row.len(), columns.len()).as_bytes());
        let cells: Vec<String> = row.iter().map(|cell| String::from_utf8_lossy(cell).replace('\n', " ")).collect();
        line.extend_from_slice(cells.join(",").as_bytes());
        line.push(b'\n');
        return;
    }
    line.push(b'{');
    write_cells(columns, row, &Place::Field, line);
    for (place, name) in [(Place::Feature, "features"), (Place::Attribute, "attributes"), (Place::Group, "groups")] {
        if columns.iter().any(|column| column.place == place) {
            separate(line);
            line.extend_from_slice(format!("\"{name}\":{{").as_bytes());
            write_cells(columns, row, &place, line);
            line.push(b'}');
        }
    }
    line.extend_from_slice(b"}\n");
}

fn write_cells(columns: &[CsvColumn], row: &ByteRecord, place: &Place, line: &mut Vec<u8>) {
    for (column, cell) in columns.iter().zip(row).filter(|(column, _)| column.place == *place) {
        let is_number = column.place == Place::Feature && column.read_as == FeatureType::Number;
        if cell.is_empty() || (is_number && is_missing(cell)) {
            continue;
        }
        separate(line);
        line.extend_from_slice(&column.key);
        match (place, column.read_as) {
            (Place::Feature, FeatureType::Number) if let Some(number) = number(cell) => {
                line.extend_from_slice(format!("{number:?}").as_bytes());
            }
            (Place::Feature, FeatureType::Boolean) if let Some(value) = boolean(cell) => {
                line.extend_from_slice(if value { b"true" } else { b"false" });
            }
            // Lists and objects of the schema are written as JSON.
            (Place::Field, _) if cell.starts_with(b"{") || cell.starts_with(b"[") => {
                line.extend(cell.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
            }
            _ => push_quoted(cell, line),
        }
    }
}

fn separate(line: &mut Vec<u8>) {
    if line.last() != Some(&b'{') {
        line.push(b',');
    }
}

/// Text in quotes; bytes that are not UTF-8 stay, so that the row is refused for them.
fn push_quoted(text: &[u8], line: &mut Vec<u8>) {
    line.push(b'"');
    for byte in text {
        match byte {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', *byte]),
            0..0x20 => line.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => line.push(*byte),
        }
    }
    line.push(b'"');
}

fn first_time(path: &Path) -> Result<Option<Timestamp>, SourceError> {
    each_time(path, |times| times.next())
}

fn time_span(path: &Path) -> Result<Option<(Timestamp, Timestamp)>, SourceError> {
    each_time(path, |times| {
        times.fold(None, |span: Option<(Timestamp, Timestamp)>, time| {
            let (low, high) = span.unwrap_or((time, time));
            Some((low.min(time), high.max(time)))
        })
    })
}

fn each_time<T>(
    path: &Path,
    mut use_times: impl FnMut(&mut dyn Iterator<Item = Timestamp>) -> Option<T>,
) -> Result<Option<T>, SourceError> {
    let (reader, _) = text::open(path).map_err(|source| SourceError::Io { path: path.to_owned(), source })?;
    let mut reader = reader_of(reader);
    let Some(place) = header(&mut reader, path)?.iter().position(|name| name == column::TIME) else { return Ok(None) };
    let mut rows = reader.into_byte_records().map_while(Result::ok);
    let mut times = rows.by_ref().filter_map(|row| Timestamp::parse(std::str::from_utf8(row.get(place)?).ok()?).ok());
    Ok(use_times(&mut times))
}
