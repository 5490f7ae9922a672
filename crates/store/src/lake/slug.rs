//! Model names as folder names, and back.

/// Folder names stay below what every file system takes.
const MAX_BYTES: usize = 200;

/// A folder name for a model: small letters, digits, `-` and `_` stay, every other byte is `!` and two
/// hexadecimal digits, so that names that differ only in case stay apart on every file system.
///
/// A name too long for a folder is cut and ends in `!!` and its hash: [`from_slug`] does not read it, and
/// the table's own metadata has the name.
pub(super) fn to_slug(model: &str) -> String {
    use std::fmt::Write as _;
    let mut slug = String::with_capacity(model.len());
    for byte in model.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => slug.push(char::from(byte)),
            other => {
                // Writing to a String cannot fail.
                let _ = write!(slug, "!{other:02x}");
            }
        }
    }
    if slug.len() <= MAX_BYTES && !slug.is_empty() {
        return slug;
    }
    let hash = blake3::hash(model.as_bytes()).to_hex();
    slug.truncate(MAX_BYTES - 22);
    format!("{slug}!!{}", &hash[..20])
}

/// The model whose folder this is; `None` for a folder that [`to_slug`] did not name, or had to cut.
pub(super) fn from_slug(slug: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(slug.len());
    let mut rest = slug.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'!' => {
                let digits = [rest.next()?, rest.next()?];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            }
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => bytes.push(byte),
            _ => return None,
        }
    }
    let model = String::from_utf8(bytes).ok()?;
    (to_slug(&model) == slug).then_some(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_stay_readable() {
        assert_eq!(to_slug("fraud-v2"), "fraud-v2");
        assert_eq!(to_slug("Fraud/EU model"), "!46raud!2f!45!55!20model");
        assert_eq!(to_slug(".."), "!2e!2e");
    }

    #[test]
    fn a_long_name_has_a_short_folder_of_its_own() {
        let (first, second) = ("x".repeat(500) + "1", "x".repeat(500) + "2");
        assert!(to_slug(&first).len() <= MAX_BYTES);
        assert_ne!(to_slug(&first), to_slug(&second));
        assert_eq!(from_slug(&to_slug(&first)), None);
    }

    proptest! {
        #[test]
        fn what_fits_reads_back(model in ".{1,60}") {
            let slug = to_slug(&model);
            if !slug.contains("!!") {
                prop_assert_eq!(from_slug(&slug), Some(model));
            }
        }
    }
}
