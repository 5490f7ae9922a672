//! Reads gzip and zstd as what they hold. The first bytes tell which it is, not the name.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// How much is read at once.
const READ_BYTES: usize = 256 * 1024;

/// The largest zstd window that is taken, as a power of two: 128 MiB, what `zstd --long` makes.
const MAX_WINDOW_LOG: u32 = 27;

/// What a reader holds: decompressed where it starts as gzip or zstd does, as it is otherwise.
///
/// # Errors
/// Where the first bytes cannot be read.
pub fn decompressed<'a>(reader: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut reader = BufReader::with_capacity(READ_BYTES, reader);
    Ok(match reader.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(reader)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
            decoder.window_log_max(MAX_WINDOW_LOG)?;
            Box::new(decoder)
        }
        _ => Box::new(reader),
    })
}
